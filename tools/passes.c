// SPDX-License-Identifier: GPL-2.0
/*
 * What passes by: ways by which packets of gateways behind this host avoid mailwall's hooks.
 *
 * The kernel's own tools are asked, in JSON where they have it, since each of them knows what
 * the kernels and drivers of the day call things. Nothing here changes what is judged.
 */
#include "command.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <net/if.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/**
 * struct search - what all items are looked at with
 * @found: filled in
 * @links: network devices, as "ip -j -d link show" has them
 * @flowtables: as "nft -j list flowtables" has them
 * @filters: {"device": NAME, "hook": "ingress" or "egress", "filters": as
 *           "tc -j filter show" has them}
 */
struct search {
	struct passes *found;
	json_t *links;
	json_t *flowtables;
	json_t *filters;
};

/**
 * struct subject - an item of the list of gateways, and its device
 * @name: the item
 * @device: that of port:DEVICE, or the one that this host's route to the address has
 * @link: what "ip" says of it; NULL if there is no such device now
 * @by_address: the item is an address or a prefix
 */
struct subject {
	char name[MW_PREFIX_TEXT];
	char device[IFNAMSIZ];
	const json_t *link;
	bool by_address;
};

/* @item: NULL for what is of no item. Said once, however often it is found. */
__printf(4, 5) static void add(struct passes *found, const char *item, const char *kind,
			       const char *fmt, ...)
{
	struct passing *one;
	va_list args;
	char *words, *text, *c;
	unsigned int i;

	va_start(args, fmt);
	words = vformatted(fmt, args);
	va_end(args);
	text = formatted("%s%s%s", item ?: "", item ? ": " : "", words);
	free(words);
	/* names of devices may hold anything */
	for (c = text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	for (i = 0; i < found->count; i++) {
		if (!strcmp(found->one[i].text, text)) {
			free(text);
			return;
		}
	}
	found->one = reallocate(found->one, found->count + 1, sizeof(*one));
	one = &found->one[found->count++];
	snprintf(one->item, sizeof(one->item), "%s", item ?: "");
	snprintf(one->kind, sizeof(one->kind), "%s", kind);
	one->text = text;
}

/* What is not looked for must not look like what is not there. */
static void add_unknown(struct passes *found, const char *program, int status, const char *what)
{
	if (status == -ENOENT)
		add(found, NULL, "unknown", "%s is not installed: %s not looked for", program,
		    what);
	else
		add(found, NULL, "unknown", "%s does not answer as it should: %s not looked for",
		    program, what);
}

/* The answer as JSON, NULL if there is none; says so if @what cannot be looked for. */
static json_t *ask_json(struct passes *found, const char *what, const char *const argv[])
{
	int status;
	json_t *answer = program_ask_json(argv, &status);

	if (!answer && what)
		add_unknown(found, argv[0], status, what);
	return answer;
}

/* "info_kind", what a device is, or "info_slave_kind", what it is a port of */
static const char *kind_of(const json_t *link, const char *key)
{
	return json_text(json_object_get(link, "linkinfo"), key);
}

static const json_t *find_link(const json_t *links, const char *name)
{
	const json_t *link;
	size_t i;

	json_array_foreach(links, i,
			   link) if (!strcmp(json_text(link, "ifname"), name)) return link;
	return NULL;
}

/* a is b, or lies on it: a VLAN, a port of a bridge. A veth's "link" is its other end. */
static bool lies_on(const struct search *search, const char *a, const char *b)
{
	const json_t *link = find_link(search->links, a);

	return !strcmp(a, b) || !strcmp(json_text(link, "master"), b) ||
	       (!strcmp(json_text(link, "link"), b) && strcmp(kind_of(link, "info_kind"), "veth"));
}

static bool is_macvlan(const char *kind)
{
	return !strcmp(kind, "macvlan") || !strcmp(kind, "macvtap") || !strcmp(kind, "ipvlan") ||
	       !strcmp(kind, "ipvtap");
}

/* The checks: each looks at one item */

static void look_device(struct search *search, const struct subject *s)
{
	if (!s->link && !s->by_address && search->links)
		add(search->found, s->name, "missing",
		    "no device %s is here now: nothing is judged for it until one has that name; \"ip link\" has those that are here",
		    s->device);
}

static void look_macvlan(struct search *search, const struct subject *s)
{
	const char *kind = kind_of(s->link, "info_kind");
	const json_t *link;
	size_t i;

	if (is_macvlan(kind))
		add(search->found, s->name, kind,
		    "%s is a %s: what it exchanges with the segment below comes by no bridge and no FORWARD of this host; give the gateway a tap or veth port of a bridge, and name that",
		    s->device, kind);
	json_array_foreach(search->links, i, link)
	{
		kind = kind_of(link, "info_kind");
		if (s->link && !strcmp(json_text(link, "link"), s->device) && is_macvlan(kind))
			add(search->found, s->name, kind,
			    "%s is a %s on %s: what is behind it reaches that segment, and is reached, without the hooks; give it a tap or veth port of a bridge instead",
			    json_text(link, "ifname"), kind, s->device);
	}
}

static void look_master(struct search *search, const struct subject *s)
{
	const char *kind = kind_of(s->link, "info_slave_kind");

	if (!strcmp(kind, "openvswitch") || !strcmp(kind_of(s->link, "info_kind"), "openvswitch"))
		add(search->found, s->name, "openvswitch",
		    "%s belongs to Open vSwitch, which hands packets on without the hooks of a bridge; give the gateway a port of a Linux bridge",
		    s->device);
	else if (!strcmp(kind, "bond") || !strcmp(kind, "team"))
		add(search->found, s->name, kind,
		    "%s is part of %s, which the hooks see in its place: name that, port:%s",
		    s->device, json_text(s->link, "master"), json_text(s->link, "master"));
	else if (!strcmp(kind, "vrf") && !s->by_address)
		add(search->found, s->name, kind,
		    "%s is part of the VRF %s, in whose name segments that come in by it are forwarded: what the gateway sends is not judged, and replies to it are denied; name its address instead",
		    s->device, json_text(s->link, "master"));
}

static void look_bridge(struct search *search, const struct subject *s)
{
	const json_t *link;
	size_t ports = 0, i;

	if (strcmp(kind_of(s->link, "info_kind"), "bridge"))
		return;
	json_array_foreach(search->links, i, link)
		ports += !strcmp(json_text(link, "master"), s->device);
	if (ports > 1)
		add(search->found, s->name, "bridge",
		    "%s is a bridge with %zu ports: what they exchange is not judged unless br_netfilter shows it; name the gateway's own port, with port:",
		    s->device, ports);
}

static void look_xdp(struct search *search, const struct subject *s)
{
	const json_t *link;
	size_t i;

	json_array_foreach(search->links, i, link)
	{
		const char *name = json_text(link, "ifname");

		if (json_object_get(link, "xdp"))
			add(search->found, s->name, "xdp",
			    "an XDP program on %s comes before all hooks and may redirect what is for the gateway or from it; if nobody needs it: ip link set dev %s xdp off",
			    name, name);
	}
}

static void look_card(struct search *search, const struct subject *s)
{
	const json_t *vfs = json_object_get(s->link, "vfinfo_list");
	size_t count = json_integer_value(json_object_get(s->link, "num_vfs"));

	count = count ?: json_array_size(vfs);
	if (count)
		add(search->found, s->name, "sr-iov",
		    "%s has %zu virtual functions (SR-IOV): what is behind one is switched by the card; give the gateway a tap or veth port of a bridge, or take them away: echo 0 > /sys/class/net/%s/device/sriov_numvfs",
		    s->device, count, s->device);
	if (*json_text(s->link, "phys_switch_id"))
		add(search->found, s->name, "switch",
		    "%s is a port of a switch chip, which hands packets to its other ports by itself; connect the gateway to a card of its own",
		    s->device);
}

static void look_offload(struct search *search, const struct subject *s)
{
	const char *const argv[] = { "ethtool", "-k", s->device, NULL };
	int status;
	char *text;

	if (!s->link)
		return;
	text = program_ask(argv, &status);
	/* a device that has no features to tell of is no answer of that kind either */
	if (status < 0)
		add_unknown(search->found, argv[0], status, "hardware offload");
	else if (text && strstr(text, "\nhw-tc-offload: on"))
		add(search->found, s->name, "hw-tc-offload",
		    "the card of %s takes rules of tc and flowtables over (hw-tc-offload) and hands on what they say by itself: ethtool -K %s hw-tc-offload off",
		    s->device, s->device);
	free(text);
}

/* A flowtable concerns a device that is in it, or that has one in it above or below. */
static bool is_in_flowtable(const struct search *search, const json_t *devices, const char *name)
{
	const char *one = json_string_value(devices);
	const json_t *entry;
	size_t i;

	if (one && (lies_on(search, one, name) || lies_on(search, name, one)))
		return true;
	json_array_foreach(devices, i, entry) if (is_in_flowtable(search, entry, name)) return true;
	return false;
}

static bool is_offloaded(const json_t *flags)
{
	const json_t *flag;
	size_t i;

	if (json_is_string(flags))
		return !strcmp(json_string_value(flags), "offload");
	json_array_foreach(flags, i, flag) if (is_offloaded(flag)) return true;
	return false;
}

static void look_flowtable(struct search *search, const struct subject *s)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(search->flowtables, "nftables"), i, entry)
	{
		const json_t *table = json_object_get(entry, "flowtable");

		if (!table || (!s->by_address &&
			       !is_in_flowtable(search, json_object_get(table, "dev"), s->device)))
			continue;
		add(search->found, s->name, "flowtable",
		    "the flowtable %s of nft's table %s %s hands packets of running connections on without FORWARD%s; leave the gateway out of the rules with \"flow add @%s\"",
		    json_text(table, "name"), json_text(table, "family"), json_text(table, "table"),
		    is_offloaded(json_object_get(table, "flags")) ? ", in the card too" : "",
		    json_text(table, "name"));
	}
}

/* Of one filter of tc: its actions may stand anywhere in it. */
static void look_filter(struct search *search, const struct subject *s, const char *device,
			const char *hook, const json_t *filter)
{
	const char *kind = json_text(filter, "kind"), *to = json_text(filter, "to_dev");
	bool from_it = !strcmp(device, s->device), is_ingress = !strcmp(hook, "ingress");
	const json_t *value;
	const char *key;
	size_t i;

	/* an ifb gives back what it gets where it was taken from */
	if (!strcmp(kind, "mirred") &&
	    strcmp(kind_of(find_link(search->links, to), "info_kind"), "ifb") &&
	    (!strcmp(to, s->device) ||
	     (from_it && is_ingress && !strcmp(json_text(filter, "mirred_action"), "redirect"))))
		add(search->found, s->name, "tc",
		    "a filter of tc takes packets from %s (%s) to %s without the hooks: see tc filter show dev %s %s, and leave the gateway out of it",
		    device, hook, to, device, hook);
	if (!strcmp(kind, "bpf") && from_it)
		add(search->found, s->name, "tc",
		    "a BPF program of tc on %s (%s) may redirect what is for the gateway or from it: see tc filter show dev %s %s",
		    device, hook, device, hook);
	json_array_foreach(filter, i, value) look_filter(search, s, device, hook, value);
	json_object_foreach((json_t *)filter, key, value)
		look_filter(search, s, device, hook, value);
}

static void look_tc(struct search *search, const struct subject *s)
{
	const json_t *one;
	size_t i;

	json_array_foreach(search->filters, i, one)
		look_filter(search, s, json_text(one, "device"), json_text(one, "hook"),
			    json_object_get(one, "filters"));
}

static void (*const checks[])(struct search *search, const struct subject *s) = {
	look_device, look_macvlan, look_master,	   look_bridge, look_xdp,
	look_card,   look_offload, look_flowtable, look_tc,
};

/* The filters on all devices: one elsewhere may lead to the gateway's. */
static json_t *collect_filters(struct passes *found)
{
	static const char *const argv[] = { "tc", "-j", "qdisc", "show", NULL };
	static const char *const hooks[] = { "ingress", "egress" };
	static const char what[] = "redirects by tc";
	json_t *qdiscs = ask_json(found, what, argv), *all = json_array(), *qdisc;
	size_t i, hook;

	json_array_foreach(qdiscs, i, qdisc)
	{
		const char *device = json_text(qdisc, "dev");
		bool is_clsact = !strcmp(json_text(qdisc, "kind"), "clsact");

		if (!is_clsact && strcmp(json_text(qdisc, "kind"), "ingress"))
			continue;
		for (hook = 0; hook < (is_clsact ? 2 : 1); hook++) {
			const char *const show[] = { "tc",  "-j",   "filter",	 "show",
						     "dev", device, hooks[hook], NULL };
			json_t *filters = ask_json(found, what, show);

			if (filters)
				json_array_append_new(all, json_pack("{s:s, s:s, s:o}", "device",
								     device, "hook", hooks[hook],
								     "filters", filters));
		}
	}
	json_decref(qdiscs);
	return all;
}

/* The device that this host's route to an address leaves by, "" if there is none. */
static void route_device(struct passes *found, const struct mailwall_prefix *prefix,
			 char device[IFNAMSIZ])
{
	struct mailwall_prefix one = *prefix;
	bool is_ipv6 = one.family == AF_INET6;
	char text[MW_PREFIX_TEXT];
	const char *const argv[] = { "ip", "-j", "route", "get", text, NULL };
	json_t *routes;

	/* of a whole prefix, the first address that a computer may have */
	if (one.length < (is_ipv6 ? 128 : 32))
		one.address[is_ipv6 ? 15 : 3] |= 1;
	mw_address_print(one.family, one.address, text);
	routes = ask_json(found, NULL, argv);
	snprintf(device, IFNAMSIZ, "%s", json_text(json_array_get(routes, 0), "dev"));
	json_decref(routes);
}

void passes_find(const struct mw_spec *policy, struct passes *found)
{
	static const char *const ip[] = { "ip", "-j", "-d", "link", "show", NULL };
	static const char *const nft[] = { "nft", "-j", "list", "flowtables", NULL };
	struct search search = { .found = found };
	unsigned int check;
	u16 i;

	if (!mw_spec_is_behind(policy))
		return;
	search.links = ask_json(found, "devices, XDP and SR-IOV", ip);
	search.flowtables = ask_json(found, "flowtables", nft);
	search.filters = collect_filters(found);
	for (i = 0; i < policy->gtw_count; i++) {
		const struct mailwall_gtw *gtw = &policy->gtw[i];
		struct subject s = { .by_address = gtw->kind == MAILWALL_GTW_PREFIX };

		/* what this host itself gets and sends comes by its hooks whatever is there */
		if (gtw->kind == MAILWALL_GTW_PORT)
			snprintf(s.device, sizeof(s.device), "%.15s", gtw->device);
		else if (s.by_address)
			route_device(found, &gtw->prefix, s.device);
		else
			continue;
		mw_gtw_print(gtw, s.name);
		s.link = find_link(search.links, s.device);
		for (check = 0; check < ARRAY_SIZE(checks); check++)
			checks[check](&search, &s);
	}
	json_decref(search.links);
	json_decref(search.flowtables);
	json_decref(search.filters);
}

void passes_free(struct passes *found)
{
	unsigned int i;

	for (i = 0; i < found->count; i++)
		free(found->one[i].text);
	free(found->one);
	memset(found, 0, sizeof(*found));
}
