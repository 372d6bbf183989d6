// SPDX-License-Identifier: GPL-2.0
/*
 * Denied segments in the kernel's own packet log (nf_log_syslog) or to
 * nfnetlink_log.
 */
#include "log.h"
#include <linux/kmod.h>
#include <net/netfilter/nf_log.h>

static enum nf_log_type mw_log_type(u16 log)
{
	return log == MAILWALL_LOG_NFLOG ? NF_LOG_TYPE_ULOG : NF_LOG_TYPE_LOG;
}

int mw_log_get(u16 log)
{
	enum nf_log_type type = mw_log_type(log);
	int error;

	if (log == MAILWALL_LOG_OFF)
		return 0;
	/* NFPROTO_INET stands for both families. From 5.13 on it loads nothing itself. */
	error = nf_logger_find_get(NFPROTO_INET, type);
	if (!error)
		return 0;
	request_module("nf-logger-%u-%u", NFPROTO_IPV4, type);
	request_module("nf-logger-%u-%u", NFPROTO_IPV6, type);
	return nf_logger_find_get(NFPROTO_INET, type);
}

void mw_log_put(u16 log)
{
	if (log != MAILWALL_LOG_OFF)
		nf_logger_put(NFPROTO_INET, mw_log_type(log));
}

void mw_log_denial(struct mw_net *mn, const struct sk_buff *skb, const struct nf_hook_state *state,
		   bool ipv6, const struct mw_policy *policy, u8 direction, unsigned int reason)
{
	struct nf_loginfo info = { .type = mw_log_type(policy->spec.log) };

	if (policy->spec.log == MAILWALL_LOG_NFLOG) {
		info.u.ulog.group = policy->spec.log_group;
	} else {
		if (!__ratelimit(&mn->log_limit)) {
			mw_count(mn->counted.here->log_held, 1);
			return;
		}
		info.u.log.level = LOGLEVEL_WARNING;
		info.u.log.logflags = NF_LOG_DEFAULT_MASK;
	}
	nf_log_packet(state->net, ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4, state->hook, skb, state->in,
		      state->out, &info, "mailwall: %s %s %s ",
		      policy->spec.mode == MAILWALL_AUDIT ? "would-deny" : "deny",
		      direction == MAILWALL_IN ? "in" : "out", mw_reason_name(reason));
}
