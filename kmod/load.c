// SPDX-License-Identifier: GPL-2.0
/* The parameters that the module is loaded with. */
#include "load.h"

static int mw_load_number(const char *s, u32 min, u32 max, const char *of, u32 *number,
			  struct mw_complaint *c)
{
	s64 value = mw_number(s, strlen(s), max);

	if (value < min)
		return mw_complain(c, s, strlen(s), -EINVAL, "write a number%s from %u to %u", of,
				   min, max);
	*number = value;
	return 0;
}

static int mw_load_confirm(struct mw_load *load, const char *value, struct mw_complaint *c)
{
	return mw_load_number(value, 1, MAILWALL_CONFIRM_MAX, " of seconds", &load->spec.confirm,
			      c);
}

static int mw_load_flows(struct mw_load *load, const char *value, struct mw_complaint *c)
{
	return mw_load_number(value, MW_FLOWS_MIN, MW_FLOWS_MAX, "", &load->flows, c);
}

static const struct {
	const char *name;
	mw_edit_t edit;
	int (*set)(struct mw_load *load, const char *value, struct mw_complaint *c);
} mw_load_parameters[] = {
	{ .name = "mode", .edit = mw_edit_mode },  { .name = "adm", .edit = mw_edit_adm },
	{ .name = "site", .edit = mw_edit_site },  { .name = "gtw", .edit = mw_edit_gtw },
	{ .name = "log", .edit = mw_edit_log },	   { .name = "confirm", .set = mw_load_confirm },
	{ .name = "flows", .set = mw_load_flows },
};

const char *mw_load_name(unsigned int i)
{
	return i < ARRAY_SIZE(mw_load_parameters) ? mw_load_parameters[i].name : NULL;
}

int mw_load_set(struct mw_load *load, const char *name, size_t name_length, const char *value,
		struct mw_complaint *c)
{
	unsigned int i;
	int error;

	for (i = 0; i < ARRAY_SIZE(mw_load_parameters); i++)
		if (strlen(mw_load_parameters[i].name) == name_length &&
		    !memcmp(mw_load_parameters[i].name, name, name_length))
			break;
	if (i == ARRAY_SIZE(mw_load_parameters))
		return mw_complain(
			c, name, name_length, -ENOENT,
			"no such parameter: write one of mode, adm, site, gtw, log, confirm and flows");
	/* the kernel would take the last one, and a line that was forgotten would open the host */
	if (load->given & 1U << i)
		return mw_complain(
			c, value, strlen(value), -EINVAL,
			"given twice: write it once, with all that it shall hold and commas between");
	if (mw_load_parameters[i].edit)
		error = mw_load_parameters[i].edit(&load->spec, value, strlen(value), c);
	else
		error = mw_load_parameters[i].set(load, value, c);
	if (!error)
		load->given |= 1U << i;
	return error;
}

int mw_load_check(const struct mw_load *load, const char **name, struct mw_complaint *c)
{
	const char *mode = mw_mode_name(load->spec.mode);

	if (!load->spec.confirm || load->spec.mode == MAILWALL_ENFORCE)
		return 0;
	*name = "confirm";
	return mw_complain(c, mode, strlen(mode), -EINVAL,
			   "with mode=%s there is nothing to go back to audit from: leave it out",
			   mode);
}
