// SPDX-License-Identifier: GPL-2.0
/*
 * Policies made ready to judge by. The decision itself is in policy.h, for the packet
 * path.
 */
#include "policy.h"

static const char *const mw_reasons[] = { "malformed", "flags", "peer", "no-connection", "closed" };

const char *mw_reason_name(unsigned int reason)
{
	return reason < ARRAY_SIZE(mw_reasons) ? mw_reasons[reason] : NULL;
}

struct mailwall_row mw_row_of_slot(const struct mw_policy *policy, unsigned int slot)
{
	struct mailwall_row none = { 0 };
	u16 i;

	if (slot >= 1 && slot < MW_SITE_SLOT)
		return mw_table[slot - 1].row;
	for (i = 0; i < policy->spec.site_count; i++)
		if (policy->site_slot[i] == slot)
			return policy->spec.site[i];
	return none;
}

struct mailwall_gtw mw_gtw_of_slot(const struct mw_policy *policy, u8 slot)
{
	struct mailwall_gtw none = { 0 };
	u16 i;

	for (i = 0; i < policy->spec.gtw_count; i++)
		if (policy->gtw_slot[i] == slot)
			return policy->spec.gtw[i];
	return none;
}

/* row number i of the policy: the built-in ones, then the site rows */
static const struct mailwall_row *mw_spec_row(const struct mw_spec *spec, unsigned int i)
{
	return i < MW_TABLE_ROWS ? &mw_table[i].row : &spec->site[i - MW_TABLE_ROWS];
}

void mw_policy_set_traced(struct mw_policy *policy, bool traced)
{
	const struct mw_spec *spec = &policy->spec;
	struct mw_gateways *g = policy->gateways;
	bool plain = spec->mode == MAILWALL_ENFORCE && spec->log == MAILWALL_LOG_OFF && !traced;

	WRITE_ONCE(policy->plain, plain);
	WRITE_ONCE(policy->alone, spec->mode != MAILWALL_OFF && !traced && !g);
	if (!g)
		return;
	WRITE_ONCE(g->only_prefixes, plain && !g->ports);
	WRITE_ONCE(g->only_ports, plain && !g->prefixes);
}

void mw_policy_build(struct mw_policy *policy, const struct mw_spec *spec, const u8 *site_slot)
{
	unsigned int rows = MW_TABLE_ROWS + spec->site_count, i;
	u16 next = MW_PAGE;

	policy->spec = *spec;
	mw_policy_set_traced(policy, false);
	mw_prefix_set_build(&policy->adm, spec->adm, spec->adm_count);
	for (i = 0; i < rows; i++) {
		const struct mailwall_row *row = mw_spec_row(spec, i);
		bool inbound = mw_row_inbound(row);
		u16 *page = &(inbound ? policy->in_page : policy->out_page)[row->port >> 8];
		u8 peer = inbound ? row->source : row->target;
		u8 slot = i + 1;

		if (i >= MW_TABLE_ROWS) {
			slot = site_slot[i - MW_TABLE_ROWS];
			policy->site_slot[i - MW_TABLE_ROWS] = slot;
		}
		if (!*page) {
			*page = next;
			next += MW_PAGE;
		}
		policy->page[*page + (row->port & 0xff)] = slot |
							   (peer == MAILWALL_ADM ? MW_IF_HELD : 0);
	}
}

void mw_policy_set_gateways(struct mw_policy *policy, struct mw_gateways *g, const u8 *slot)
{
	memcpy(policy->gtw_slot, slot, policy->spec.gtw_count * sizeof(*slot));
	if (!g)
		return;
	mw_gateways_build(g, &policy->spec, slot);
	policy->gateways = g;
	mw_policy_set_traced(policy, false);
}
