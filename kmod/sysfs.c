// SPDX-License-Identifier: GPL-2.0
/*
 * The attributes in /sys/class/misc/mailwall/, over config.c. What reading one gives, a
 * write takes.
 */
#include "sysfs.h"
#include "caller.h"
#include "compat.h"
#include "config.h"
#include "version.h"
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

static ssize_t mw_store(const char *name, mw_edit_t edit, const char *buf, size_t count)
{
	struct mw_net *mn = mw_caller();
	int error;

	if (!mw_may_change())
		return -EPERM;
	/* kernfs cuts a longer write into pieces, each of which might parse */
	if (count >= 4096) {
		mw_warn(mn, "%s refused: a write of 4096 bytes or more: write less at once\n",
			name);
		return -E2BIG;
	}
	error = mw_config_edit(mn, name, edit, buf, count);
	return error ? error : count;
}

/* The policy in force; NULL if there is no memory for a copy. */
static struct mw_spec *mw_read(void)
{
	struct mw_spec *spec = kmalloc(sizeof(*spec), GFP_KERNEL);

	if (spec)
		mw_config_read(mw_caller(), spec);
	return spec;
}

static ssize_t adm_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mw_spec *spec = mw_read();
	char text[MW_PREFIX_TEXT];
	ssize_t at = 0;
	int i;

	if (!spec)
		return -ENOMEM;
	for (i = 0; i < spec->adm_count; i++) {
		mw_prefix_print(&spec->adm[i], text);
		at += sysfs_emit_at(buf, at, "%s\n", text);
	}
	kfree(spec);
	return at;
}

static ssize_t adm_store(struct device *dev, struct device_attribute *attr, const char *buf,
			 size_t count)
{
	return mw_store("adm", mw_edit_adm, buf, count);
}

static ssize_t mw_emit_row(char *buf, ssize_t at, const struct mailwall_row *row, const char *tail)
{
	return sysfs_emit_at(buf, at, "%u %s %s%s%s\n", row->port, mw_end_name(row->source),
			     mw_end_name(row->target), *tail ? " " : "", tail);
}

static ssize_t site_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mw_spec *spec = mw_read();
	ssize_t at = 0;
	int i;

	if (!spec)
		return -ENOMEM;
	for (i = 0; i < spec->site_count; i++)
		at += mw_emit_row(buf, at, &spec->site[i], "");
	kfree(spec);
	return at;
}

static ssize_t site_store(struct device *dev, struct device_attribute *attr, const char *buf,
			  size_t count)
{
	return mw_store("site", mw_edit_site, buf, count);
}

static ssize_t gtw_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mw_spec *spec = mw_read();
	char text[MW_PREFIX_TEXT];
	ssize_t at = 0;
	int i;

	if (!spec)
		return -ENOMEM;
	for (i = 0; i < spec->gtw_count; i++) {
		mw_gtw_print(&spec->gtw[i], text);
		at += sysfs_emit_at(buf, at, "%s\n", text);
	}
	kfree(spec);
	return at;
}

static ssize_t gtw_store(struct device *dev, struct device_attribute *attr, const char *buf,
			 size_t count)
{
	return mw_store("gtw", mw_edit_gtw, buf, count);
}

static ssize_t mode_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	/* any user may ask, so this takes no lock */
	return sysfs_emit(buf, "%s\n", mw_mode_name(mw_config_mode(mw_caller())));
}

static ssize_t mode_store(struct device *dev, struct device_attribute *attr, const char *buf,
			  size_t count)
{
	return mw_store("mode", mw_edit_mode, buf, count);
}

static ssize_t log_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct mw_spec *spec = mw_read();
	char text[MW_PREFIX_TEXT];

	if (!spec)
		return -ENOMEM;
	mw_spec_print_log(spec, text);
	kfree(spec);
	return sysfs_emit(buf, "%s\n", text);
}

static ssize_t log_store(struct device *dev, struct device_attribute *attr, const char *buf,
			 size_t count)
{
	return mw_store("log", mw_edit_log, buf, count);
}

static ssize_t table_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	ssize_t at = 0;
	int i;

	for (i = 0; i < MW_TABLE_ROWS; i++)
		at += mw_emit_row(buf, at, &mw_table[i].row, mw_table[i].description);
	return at;
}

static ssize_t version_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s abi %d\n", MAILWALL_RELEASE, MAILWALL_ABI);
}

static DEVICE_ATTR_ADMIN_RW(adm);
static DEVICE_ATTR_ADMIN_RW(site);
static DEVICE_ATTR_ADMIN_RW(gtw);
static DEVICE_ATTR_RW(mode);
static DEVICE_ATTR_ADMIN_RW(log);
static DEVICE_ATTR_RO(table);
static DEVICE_ATTR_RO(version);

/*
 * Numbers have a fixed width: a reader that comes for one page after the other
 * finds every line where it was, whatever was counted in between.
 */
static size_t mw_print_counts(const struct mw_counters *c, const struct mw_counts *of,
			      const char *prefix, char *buf, size_t size)
{
	static const char *const directions[] = { "in", "out" };
	size_t at = 0;
	int d, r, i;

	for (i = 0; i < c->row_count; i++) {
		const struct mailwall_row_counters *row = &of->row[i];

		at += scnprintf(buf + at, size - at,
				"%srow %5u %s %s openings %20llu segments %20llu bytes %20llu\n",
				prefix, row->row.port, mw_end_name(row->row.source),
				mw_end_name(row->row.target), row->openings, row->segments,
				row->bytes);
	}
	for (d = 0; d < 2; d++)
		for (r = 0; r < MAILWALL_REASONS; r++)
			at += scnprintf(buf + at, size - at,
					"%sreason %-3s %-13s denied %20llu would-deny %20llu\n",
					prefix, directions[d], mw_reason_name(r), of->denied[d][r],
					of->would_deny[d][r]);
	return at;
}

static size_t mw_print_stats(const struct mw_counters *c, char *buf, size_t size)
{
	char text[MW_PREFIX_TEXT];
	size_t at;
	int i;

	at = mw_print_counts(c, &c->of[0], "", buf, size);
	at += scnprintf(buf + at, size - at, "log held %20llu\n", c->log_held);
	if (c->behind)
		at += mw_print_counts(c, &c->of[1], "behind ", buf + at, size - at);
	for (i = 0; i < c->gtw_count; i++) {
		mw_gtw_print(&c->gtw[i], text);
		at += scnprintf(buf + at, size - at, "gtw %s in %20llu out %20llu\n", text,
				c->seen[i][MAILWALL_IN], c->seen[i][MAILWALL_OUT]);
	}
	if (c->behind)
		at += scnprintf(buf + at, size - at,
				"flows noted %20llu evicted %20llu missed %20llu\n", c->flows_noted,
				c->flows_evicted, c->flows_missed);
	return at;
}

#define MW_STATS_TEXT 16384

static ssize_t stats_read(struct file *file, struct kobject *kobj, mw_bin_attribute_t attr,
			  char *buf, loff_t pos, size_t size)
{
	struct mw_counters *counters = kmalloc(sizeof(*counters), GFP_KERNEL);
	char *text = kmalloc(MW_STATS_TEXT, GFP_KERNEL);
	ssize_t done = -ENOMEM;

	if (counters && text) {
		mw_config_counters(mw_caller(), counters);
		done = memory_read_from_buffer(buf, size, &pos, text,
					       mw_print_stats(counters, text, MW_STATS_TEXT));
	}
	kfree(text);
	kfree(counters);
	return done;
}

static struct bin_attribute bin_attr_stats = {
	.attr = { .name = "stats", .mode = 0400 },
	.read = stats_read,
};

static struct bin_attribute *mw_bin_attributes[] = { &bin_attr_stats, NULL };

static struct attribute *mw_attributes[] = {
	&dev_attr_adm.attr, &dev_attr_site.attr,  &dev_attr_gtw.attr,	  &dev_attr_mode.attr,
	&dev_attr_log.attr, &dev_attr_table.attr, &dev_attr_version.attr, NULL,
};

static const struct attribute_group mw_group = {
	.attrs = mw_attributes,
	/* the array's type, not its content, changed in 6.13 */
	.bin_attrs = (void *)mw_bin_attributes,
};

const struct attribute_group *mw_sysfs_groups[] = { &mw_group, NULL };
