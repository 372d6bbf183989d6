// SPDX-License-Identifier: GPL-2.0
/*
 * Gateways behind this host, on this machine: kmod/forward.c, general.c, frame.c and flow.c
 * compiled from the module's own source over tests/unit/kernel, and given random packets at
 * FORWARD, in a bridge and at the host's own hooks. Each one's fate, what it counts, notes,
 * logs and answers is compared with the naive decision of naive.c, with a plain map of flows
 * and with what the packet was made to be. Plain packets by a plain policy take the short way
 * through forward.c, those by a policy that logs take the long one: both must do the same.
 *
 *	behind ROUNDS [SEED]
 */
#include "edit.h"
#include "flow.h"
#include "naive.h"
#include "world.h"

/* Random numbers */

static u64 random_state;

static u32 below(u32 limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (u64)(u32)(random_state * 0x2545f4914f6cdd1dULL >> 32) * limit >> 32;
}

#define PICK(array) ((array)[below(ARRAY_SIZE(array))])

/* The world */

static struct net_device tap0 = { .nd_net = &net, .ifindex = 10 };
static struct net_device tap1 = { .nd_net = &net, .ifindex = 11 };
static struct net_device bridge = { .nd_net = &net, .ifindex = 12 };
/* the same low bits as tap0's: what port_mask does not tell apart */
static struct net_device tap64 = { .nd_net = &net, .ifindex = 10 + 64 };
static struct net_device *const devices[] = { &eth, &tap0, &tap1, &tap64 };

static struct mw_stats behind;
static struct mw_seen seen;
static struct mw_policy policy;
static struct mw_gateways gateways;
static u8 site_slot[MAILWALL_SITE_MAX], gtw_slot[MAILWALL_GTW_MAX];
static int device_of[MAILWALL_GTW_MAX]; /* what the items that are devices mean now */

/* this host, two gateways, another of the first one's network, ADM, anybody */
static const u8 ipv4[][4] = { { 192, 0, 2, 1 },	 { 192, 0, 2, 10 },   { 192, 0, 2, 20 },
			      { 192, 0, 2, 12 }, { 198, 51, 100, 7 }, { 203, 0, 113, 9 } };
static const u8 ipv6[][16] = {
	{ 0x20, 1, 0xd, 0xb8, [15] = 1 },	  { 0x20, 1, 0xd, 0xb8, [15] = 0x10 },
	{ 0x20, 1, 0xd, 0xb8, [15] = 0x20 },	  { 0x20, 1, 0xd, 0xb8, [15] = 0x12 },
	{ 0x20, 1, 0xd, 0xb8, 0, 0xb, [15] = 7 }, { 0x20, 1, 0xd, 0xb8, 0, 0xc, [15] = 9 },
};

static const u8 *address(bool six, unsigned int who)
{
	return six ? ipv6[who] : ipv4[who];
}

static const char *const lists[] = {
	"192.0.2.10 2001:db8::10",
	"this 192.0.2.10 192.0.2.0/28 192.0.2.20 2001:db8::10 2001:db8::/123 2001:db8::20",
	"port:tap0",
	"this port:tap0 port:tap1",
	"port:tap1 192.0.2.10 2001:db8::10",
	"this port:tap0 192.0.2.20 2001:db8::20 port:tap64",
};

/* The policies: which @list, and whether it is plain. */
static void publish(unsigned int list, unsigned int mode, unsigned int log)
{
	static const char sites[] = "22 ADM GTW,636 GTW ADM,53 GTW ANY,40000 ANY GTW";
	static const char adm[] = "198.51.100.0/24 2001:db8:b::/48";
	struct mw_spec spec = { .mode = mode, .log = log };
	struct mw_complaint c;
	unsigned int i, port = 0;

	assert(!mw_edit_adm(&spec, adm, strlen(adm), &c));
	assert(!mw_edit_site(&spec, sites, strlen(sites), &c));
	assert(!mw_edit_gtw(&spec, lists[list], strlen(lists[list]), &c));
	memset(&policy, 0, sizeof(policy));
	memset(&gateways, 0, sizeof(gateways));
	for (i = 0; i < MAILWALL_SITE_MAX; i++)
		site_slot[i] = MW_SITE_SLOT + (i * 37 + 5) % MW_SITE_SLOTS;
	for (i = 0; i < MAILWALL_GTW_MAX; i++)
		gtw_slot[i] = 1 + (i * 41 + 7) % (MW_GTW_SLOTS - 1);
	mw_policy_build(&policy, &spec, site_slot);
	mw_policy_set_gateways(&policy, &gateways, gtw_slot);
	for (i = 0; i < spec.gtw_count; i++) {
		if (spec.gtw[i].kind != MAILWALL_GTW_PORT)
			continue;
		/* now and then the device is not there */
		device_of[i] = !below(8)			   ? 0 :
			       !strcmp(spec.gtw[i].device, "tap0") ? tap0.ifindex :
			       !strcmp(spec.gtw[i].device, "tap1") ? tap1.ifindex :
								     tap64.ifindex;
		mw_gateways_resolve(&gateways, port++, device_of[i]);
	}
	mn.policy = &policy;
}

/* Flows, as a plain map */

struct flow {
	u8 gateway[16], peer[16];
	u16 local, remote;
	int device;
	s64 noted;
};

#define FLOWS 4096
static struct flow flows[FLOWS];
static unsigned int flow_count;

/* The place where the flow is, or would be. */
static struct flow *flow_of(const struct flow *key)
{
	unsigned int i;

	for (i = 0; i < flow_count; i++)
		if (!memcmp(&flows[i], key, offsetof(struct flow, noted)))
			break;
	if (i == flow_count) {
		assert(flow_count < FLOWS);
		flows[i] = *key;
		flows[i].noted = -1;
	}
	return &flows[i];
}

static bool flow_fresh(const struct flow *flow)
{
	return flow->noted >= 0 && clock_seconds - flow->noted <= 7440;
}

/* Packets */

enum hook { FORWARD, FORWARD_BRIDGED, BRIDGE, BRIDGE_IN, BRIDGE_OUT, HOST_IN, HOST_OUT, HOOKS };
#define AT(hook) (1U << (hook))
#define AT_BRIDGE (AT(BRIDGE) | AT(BRIDGE_IN) | AT(BRIDGE_OUT))
#define AT_HOST (AT(HOST_IN) | AT(HOST_OUT))
#define AT_FORWARD (AT(FORWARD) | AT(FORWARD_BRIDGED))
#define ANYWHERE (AT_FORWARD | AT_BRIDGE | AT_HOST)

enum kind { TCP, PASSES, MALFORMED };

struct packet {
	enum hook hook;
	bool six;
	unsigned int source, target; /* in address() */
	u16 source_port, target_port;
	u8 flags;
	struct net_device *in, *out, *bridge_in, *bridge_out;
	u8 below[96]; /* between Ethernet and IP */
	unsigned int below_length;
	u16 protocol; /* what the frame says */
	bool vlan_beside;
	u8 between[128]; /* IPv4 options, IPv6 extension headers */
	unsigned int between_length;
	u8 first_header;
	u16 frag_off;
	u8 offset_byte;
	unsigned int tcp_length, padding;
	unsigned int linear; /* bytes of it all that lie in the linear data */
	unsigned int cut; /* off the end of the frame */
	int length_wrong; /* what the IP header says beyond the truth */
	bool length_zero, gso, sum_wrong;
	u8 version;
	/* what it is */
	enum kind kind;
	bool routed; /* source-routed, with hops left */
	bool vrf; /* what the hook has for in is the VRF that it belongs to */
};

static const u16 ports[] = { 22,  25,	25,   25, 53,	 110,	587,   636,
			     995, 8450, 8450, 80, 40000, 50000, 50001, 50002 };
/* Most that come are some that are allowed; then all others. */
static const u8 usual[] = { 0x02, 0x10, 0x10, 0x18, 0x12, 0x11, 0x04, 0x14 };

static struct packet random_packet(unsigned int hooks)
{
	struct packet p = {
		.six = below(2),
		.source = below(6),
		.target = below(6),
		.source_port = PICK(ports),
		.target_port = PICK(ports),
		.flags = below(8) ? PICK(usual) : below(256),
		.first_header = IPPROTO_TCP,
		.offset_byte = 0x50,
		.tcp_length = 20 + below(3) * 40,
		.linear = UINT_MAX,
	};

	do
		p.hook = below(HOOKS);
	while (!(hooks & AT(p.hook)));
	p.in = PICK(devices);
	p.out = PICK(devices);
	if (p.hook == FORWARD_BRIDGED) {
		p.bridge_in = p.in;
		p.bridge_out = p.out;
		p.in = p.out = &bridge;
	}
	p.version = p.six ? 6 : 4;
	p.protocol = p.six ? 0x86dd : 0x0800;
	return p;
}

static bool in_bridge(const struct packet *p)
{
	return AT(p->hook) & AT_BRIDGE;
}

static bool at_host(const struct packet *p)
{
	return AT(p->hook) & AT_HOST;
}

static unsigned int ip_length(const struct packet *p)
{
	return (p->six ? 40 : 20) + p->between_length + p->tcp_length;
}

/* Writes the packet's bytes. Return: how many. */
static unsigned int packet_bytes(const struct packet *p, u8 *bytes)
{
	unsigned int header = p->six ? 40 : 20, length = ip_length(p), sum = 0, i;
	unsigned int said = p->length_zero ? 0 : length + p->length_wrong;
	u8 *ip = bytes + p->below_length, *th = ip + header + p->between_length;

	memset(bytes, 0, p->below_length + length + p->padding);
	memcpy(bytes, p->below, p->below_length);
	memcpy(ip + header, p->between, p->between_length);
	if (p->six) {
		said = p->length_zero ? 0 : said - 40;
		ip[0] = p->version << 4;
		ip[4] = said >> 8;
		ip[5] = said;
		ip[6] = p->between_length ? p->first_header : IPPROTO_TCP;
		memcpy(ip + 8, address(true, p->source), 16);
		memcpy(ip + 24, address(true, p->target), 16);
	} else {
		ip[0] = p->version << 4 | (5 + p->between_length / 4);
		ip[2] = said >> 8;
		ip[3] = said;
		ip[6] = p->frag_off >> 8;
		ip[7] = p->frag_off;
		ip[9] = p->first_header;
		memcpy(ip + 12, address(false, p->source), 4);
		memcpy(ip + 16, address(false, p->target), 4);
		for (i = 0; i < header + p->between_length; i += 2)
			sum += ip[i] << 8 | ip[i + 1];
		sum = (sum & 0xffff) + (sum >> 16);
		sum = ~((sum & 0xffff) + (sum >> 16)) ^ p->sum_wrong;
		ip[10] = sum >> 8;
		ip[11] = sum;
	}
	for (i = 0; i < p->tcp_length; i++)
		th[i] = i == 0	? p->source_port >> 8 :
			i == 1	? p->source_port :
			i == 2	? p->target_port >> 8 :
			i == 3	? p->target_port :
			i == 12 ? p->offset_byte :
			i == 13 ? p->flags :
				  0;
	return p->below_length + length + p->padding - p->cut;
}

/* What should come of a packet */

struct outcome {
	unsigned int fate, lookups, logged, told, routes_asked;
	struct mw_stats here, behind;
	struct mw_seen seen;
};

static struct outcome want;

static unsigned int refused(const struct packet *p, u8 direction, bool is_behind,
			    unsigned int reason)
{
	struct mw_stats *stats_of = is_behind ? &want.behind : &want.here;

	want.logged += policy.spec.log != MAILWALL_LOG_OFF;
	if (policy.spec.mode == MAILWALL_AUDIT) {
		stats_of->would_deny[direction][reason]++;
		return NF_ACCEPT;
	}
	stats_of->denied[direction][reason]++;
	/* "A routed opening segment of a gateway behind is answered" */
	if (p->hook == FORWARD && direction == MAILWALL_OUT && reason != MAILWALL_MALFORMED &&
	    (p->flags & 0x12) == 2)
		want.told++;
	return p->hook == HOST_OUT ? NF_DROP | ECONNREFUSED << 16 : NF_DROP;
}

static unsigned int judged(const struct packet *p, u8 direction, int who, bool socket)
{
	bool in = direction == MAILWALL_IN, is_behind = who != NAIVE_THIS;
	const struct net_device *dev = in ? p->out : p->in;
	unsigned int gateway = in ? p->target : p->source, peer = in ? p->source : p->target;
	struct naive_segment s = {
		.direction = direction,
		.family = p->six ? AF_INET6 : AF_INET,
		.flags = p->flags,
		.local = in ? p->target_port : p->source_port,
		.remote = in ? p->source_port : p->target_port,
		.peer = address(p->six, peer),
		.behind = is_behind,
		.routed = p->routed && !in,
	};
	struct flow key = { .local = s.local,
			    .remote = s.remote,
			    .device = dev ? dev->ifindex : 0 };
	struct mw_stats *stats_of = is_behind ? &want.behind : &want.here;
	struct naive_answer answer;
	struct mw_row_stats *row;
	struct flow *flow;

	if (is_behind)
		want.seen.segments[direction][gtw_slot[who - 1]]++;
	if (p->kind == MALFORMED)
		return refused(p, direction, is_behind, MAILWALL_MALFORMED);
	memcpy(key.gateway, address(p->six, gateway), p->six ? 16 : 4);
	memcpy(key.peer, address(p->six, peer), p->six ? 16 : 4);
	flow = flow_of(&key);
	s.connection = is_behind ? flow_fresh(flow) : socket;
	answer = naive_judge(&policy.spec, &s);
	if (answer.asked && !is_behind)
		want.lookups++;
	if (!answer.allowed) {
		want.behind.flows_missed += is_behind && answer.asked;
		return refused(p, direction, is_behind, answer.reason);
	}
	if (answer.asked_back && !(p->flags & 4) && flow->noted != clock_seconds) {
		bool told_by_port = in_bridge(p) || p->hook == FORWARD_BRIDGED;

		want.routes_asked += !told_by_port;
		if (told_by_port || route_leads) {
			want.behind.flows_noted += !flow_fresh(flow);
			flow->noted = clock_seconds;
			flow_count += flow == &flows[flow_count];
		}
	}
	row = &stats_of->row[direction][answer.row < MW_TABLE_ROWS ?
						1 + answer.row :
						site_slot[answer.row - MW_TABLE_ROWS]];
	row->segments++;
	/* "IP packet length", whatever the frame says */
	row->bytes += ip_length(p);
	row->openings += (p->flags & 0x12) == 2;
	return NF_ACCEPT;
}

static void expect(const struct packet *p, bool socket)
{
	const struct naive_path path = {
		.bridge = in_bridge(p),
		.hook = p->hook == HOST_IN || p->hook == BRIDGE_IN   ? NAIVE_IN :
			p->hook == HOST_OUT || p->hook == BRIDGE_OUT ? NAIVE_OUT :
								       NAIVE_FORWARD,
		.family = p->six ? AF_INET6 : AF_INET,
		.source = address(p->six, p->source),
		.target = address(p->six, p->target),
		.in = p->vrf ? vrf.ifindex :
		      p->in  ? p->in->ifindex :
			       0,
		.out = p->out ? p->out->ifindex : 0,
		.bridge_in = p->bridge_in ? p->bridge_in->ifindex : 0,
		.bridge_out = p->bridge_out ? p->bridge_out->ifindex : 0,
	};
	int sender = naive_sender(&policy.spec, device_of, &path);
	int receiver = naive_receiver(&policy.spec, device_of, &path);

	want = (struct outcome){ .fate = NF_ACCEPT, .here = stats, .behind = behind, .seen = seen };
	if (p->kind == PASSES || policy.spec.mode == MAILWALL_OFF)
		return;
	/* "judged twice, outbound first, and passes if both judgements say so" */
	if (sender)
		want.fate = judged(p, MAILWALL_OUT, sender, socket);
	if (receiver && want.fate == NF_ACCEPT)
		want.fate = judged(p, MAILWALL_IN, receiver, socket);
}

static const char *const hook_names[] = { "FORWARD",	      "FORWARD of a bridge",
					  "bridge FORWARD",   "bridge LOCAL_IN",
					  "bridge LOCAL_OUT", "LOCAL_IN",
					  "LOCAL_OUT" };

static nf_hookfn *hook_of(const struct packet *p)
{
	unsigned int number[HOOKS] = { 4, 4, 6, 7, 8, 0, 1 };
	bool families = !in_bridge(p);

	return mn.ops[number[p->hook] + (families && p->six ? at_host(p) ? 2 : 1 : 0)].hook;
}

static bool send_packet(struct packet *p)
{
	struct dst_entry dst = { .dev = p->out ?: p->in };
	struct nf_hook_state state = {
		.pf = in_bridge(p) ? NFPROTO_BRIDGE :
		      p->six	   ? NFPROTO_IPV6 :
				     NFPROTO_IPV4,
		.net = &net,
	};
	struct sk_buff skb = { .iif = 2, .sdif = 5, .dst = in_bridge(p) ? NULL : &dst };
	static u8 bytes[0x30000];
	unsigned int length, fate;
	u8 *more;
	u16 header;
	bool good;

	if (p->hook == HOST_IN || p->hook == BRIDGE_IN)
		p->out = NULL;
	if (p->hook == HOST_OUT || p->hook == BRIDGE_OUT)
		p->in = NULL;
	in_vrf = p->vrf ? p->in : NULL;
	state.in = p->vrf ? &vrf : p->in;
	if (p->hook == FORWARD || p->hook == FORWARD_BRIDGED)
		skb.sdif = p->vrf ? p->in->ifindex : 0;
	state.out = p->out;
	state.hook = !p->out ? NF_INET_LOCAL_IN : !p->in ? NF_INET_LOCAL_OUT : NF_INET_FORWARD;
	/* "state->out is stale after DNAT": only the route counts there */
	if (p->hook == HOST_OUT && !below(4))
		state.out = PICK(devices);
	/* IP lies in the linear data, where an IP layer was */
	if (!in_bridge(p) && p->linear < (p->six ? 40U : 20 + p->between_length))
		p->linear = p->six ? 40 : 20 + p->between_length;
	length = packet_bytes(p, bytes);
	more = lay_out(&skb, bytes, length, p->linear);
	/* what a bridge has there is any other hook's */
	header = in_bridge(p) ? HEADROOM - 14 : HEADROOM;
	skb.network_header = header;
	skb.protocol = htons(p->protocol);
	skb.vlan_present = p->vlan_beside;
	skb.gso = p->gso;
	skb.nf_bridge = p->bridge_in;
	skb.physin = p->bridge_in ? p->bridge_in->ifindex : 0;
	skb.physout = p->bridge_out ? p->bridge_out->ifindex : 0;

	connection = (struct sock){ .sk_family = p->six ? AF_INET6 : AF_INET,
				    .sk_state = TCP_ESTABLISHED,
				    .sk_dport = htons(p->source_port),
				    .sk_num = p->target_port };
	if (p->six) {
		memcpy(&connection.sk_v6_daddr, ipv6[p->source], 16);
		memcpy(&connection.sk_v6_rcv_saddr, ipv6[p->target], 16);
	} else {
		memcpy(&connection.sk_daddr, ipv4[p->source], 4);
		memcpy(&connection.sk_rcv_saddr, ipv4[p->target], 4);
	}
	connection_exists = below(2);
	route_leads = below(4);
	lookups = logged = told = routes_asked = 0;
	expect(p, connection_exists);

	fate = hook_of(p)(&mn, &skb, &state);
	good = fate == want.fate && lookups == want.lookups && logged == want.logged &&
	       told == want.told && routes_asked == want.routes_asked &&
	       skb.network_header == header && !memcmp(&stats, &want.here, sizeof(stats)) &&
	       !memcmp(&behind, &want.behind, sizeof(behind)) &&
	       !memcmp(&seen, &want.seen, sizeof(seen));
	if (told)
		good = good && told_what == (p->six ? 0x0101 : 0x030d);
	if (!good)
		printf("# gtw %u mode %u log %u, %s IPv%d, %u:%u to %u:%u, flags 0x%02x, devices %d %d, kind %d, length %u linear %u: verdict 0x%x for 0x%x, %u look-ups for %u, logged %u for %u, told %u for %u, routes %u for %u, here %d behind %d seen %d\n",
		       policy.spec.gtw_count, policy.spec.mode, policy.spec.log,
		       hook_names[p->hook], p->six ? 6 : 4, p->source, p->source_port, p->target,
		       p->target_port, p->flags, p->in ? p->in->ifindex : 0,
		       p->out ? p->out->ifindex : 0, p->kind, length, p->linear, fate, want.fate,
		       lookups, want.lookups, logged, want.logged, told, want.told, routes_asked,
		       want.routes_asked, memcmp(&stats, &want.here, sizeof(stats)),
		       memcmp(&behind, &want.behind, sizeof(behind)),
		       memcmp(&seen, &want.seen, sizeof(seen)));
	cases++;
	free(skb.head);
	free(more);
	return good;
}

/* Rounds of one shape */

static unsigned int rounds;

static void shape_point(unsigned int hooks, void (*shape)(struct packet *p), const char *what)
{
	static const struct {
		unsigned int mode, log;
	} modes[] = {
		{ MAILWALL_ENFORCE, MAILWALL_LOG_OFF },
		{ MAILWALL_ENFORCE, MAILWALL_LOG_OFF },
		{ MAILWALL_ENFORCE, MAILWALL_LOG_KERNEL },
		{ MAILWALL_AUDIT, MAILWALL_LOG_OFF },
	};
	unsigned int round, i;
	bool good = true;

	for (round = 0; round < rounds && good; round++)
		for (i = 0; i < ARRAY_SIZE(lists) * ARRAY_SIZE(modes) && good; i++) {
			unsigned int mode = i / ARRAY_SIZE(lists), left;

			mw_flow_destroy(mn.flows);
			mn.flows = mw_flow_create(16384);
			flow_count = 0;
			publish(i % ARRAY_SIZE(lists), modes[mode].mode, modes[mode].log);
			for (left = 100; left && good; left--) {
				struct packet p = random_packet(hooks);

				/* most of the time somebody speaks to somebody who is guarded */
				if (shape)
					shape(&p);
				good = send_packet(&p);
				/* and back, now or within about the window */
				if (good && below(2)) {
					struct packet reply = p;

					reply.source = p.target;
					reply.target = p.source;
					reply.source_port = p.target_port;
					reply.target_port = p.source_port;
					reply.flags = PICK(usual);
					reply.in = p.out ?: p.in;
					reply.out = p.in ?: p.out;
					reply.bridge_in = p.bridge_out;
					reply.bridge_out = p.bridge_in;
					if (p.hook == HOST_IN || p.hook == HOST_OUT)
						reply.hook = p.hook == HOST_IN ? HOST_OUT : HOST_IN;
					if (p.hook == BRIDGE_IN || p.hook == BRIDGE_OUT)
						reply.hook = p.hook == BRIDGE_IN ? BRIDGE_OUT :
										   BRIDGE_IN;
					if (!below(8))
						clock_seconds += below(2) ? 7440 : 7441;
					good = send_packet(&reply);
				}
				if (!below(4))
					clock_seconds += below(3);
			}
		}
	point(good, what);
}

/* Shapes: what a packet is made to be, and what it is therefore. */

static void nonlinear(struct packet *p)
{
	p->linear = below(ip_length(p));
}

static void in_a_vrf(struct packet *p)
{
	p->vrf = true;
}

static void lengths(struct packet *p)
{
	p->offset_byte = below(256);
	p->tcp_length = below(64);
	p->linear = below(2) ? UINT_MAX : below(ip_length(p) + 1);
	if (p->tcp_length < 20 || p->offset_byte >> 4 < 5 ||
	    (p->offset_byte >> 4) * 4U > p->tcp_length)
		p->kind = MALFORMED;
}

static void put(struct packet *p, const u8 *bytes, unsigned int length, u8 type)
{
	memcpy(p->between + p->between_length, bytes, length);
	if (!p->between_length)
		p->first_header = type;
	p->between_length += length;
}

static void ipv4_options(struct packet *p)
{
	static const u8 nops[40] = { [0 ... 39] = IPOPT_NOOP };
	static const u8 left[] = { IPOPT_NOOP, IPOPT_LSRR, 7, 4, 9, 9, 9, 9 };

	p->six = false;
	p->version = 4;
	p->protocol = 0x0800;
	p->routed = below(2);
	if (p->routed)
		put(p, left, sizeof(left), IPPROTO_TCP);
	else
		put(p, nops, 4 + 4 * below(10), IPPROTO_TCP);
	p->linear = below(2) ? UINT_MAX : below(ip_length(p) + 1);
}

static void ipv4_fragments(struct packet *p)
{
	p->six = false;
	p->version = 4;
	p->protocol = 0x0800;
	p->frag_off = below(2) ? below(20) : below(0x2000);
	if (p->frag_off)
		p->kind = p->frag_off < 8 && !at_host(p) ? MALFORMED : PASSES;
	if (below(2))
		p->frag_off |= IP_MF;
	if (!p->kind && below(2)) {
		/* a first fragment, its header cut short or whole to 60 bytes */
		p->tcp_length = below(80);
		p->offset_byte = below(2) ? 0xf0 : 0x50;
		p->kind = p->tcp_length < (p->offset_byte >> 4) * 4U ? MALFORMED : TCP;
	}
}

static void ipv6_fragments(struct packet *p)
{
	static const u8 dest[128] = { IPPROTO_TCP };
	unsigned int units = below(2) ? below(20) : below(0x2000), ends;
	bool more = below(2);
	u8 fragment[8] = { below(8) ? IPPROTO_TCP : 17, 0, units >> 5, units << 3 | more };

	p->six = true;
	p->version = 6;
	p->protocol = 0x86dd;
	if (units || fragment[0] == 17) {
		put(p, fragment, 8, NEXTHDR_FRAGMENT);
		/* of any protocol, since the chain may go on in it */
		p->kind = units && units < 8 && !at_host(p) ? MALFORMED : PASSES;
		return;
	}
	/* headers behind the fragment header: where does TCP's end? */
	if (below(2)) {
		u8 header[64] = { IPPROTO_TCP };
		unsigned int size = 8 * (1 + below(8));

		(void)dest;
		header[1] = size / 8 - 1;
		fragment[0] = NEXTHDR_DEST;
		put(p, fragment, 8, NEXTHDR_FRAGMENT);
		put(p, header, size, 0);
	} else {
		put(p, fragment, 8, NEXTHDR_FRAGMENT);
	}
	p->tcp_length = 60;
	p->offset_byte = (5 + below(11)) << 4;
	ends = p->between_length - 8 + (p->offset_byte >> 4) * 4;
	/* one that no other follows is put together with none */
	p->kind = more && ends > 64 && !at_host(p) ? MALFORMED : TCP;
	p->linear = below(2) ? UINT_MAX : below(ip_length(p) + 1);
}

static void ipv6_chains(struct packet *p)
{
	u8 hop[8] = { NEXTHDR_DEST }, past_end[8] = { NEXTHDR_DEST, 200 }, udp[8] = { 17 };
	u8 dest[16] = { IPPROTO_TCP, 1 }, route[8] = { IPPROTO_TCP, 0, 4, 1 };

	p->six = true;
	p->version = 6;
	p->protocol = 0x86dd;
	switch (below(4)) {
	case 0:
		put(p, hop, 8, NEXTHDR_HOP);
		put(p, dest, 16, 0);
		break;
	case 1:
		put(p, past_end, 8, NEXTHDR_DEST);
		p->kind = MALFORMED;
		break;
	case 2:
		put(p, udp, 8, NEXTHDR_DEST);
		p->kind = PASSES;
		break;
	default:
		put(p, route, 8, NEXTHDR_ROUTING);
		p->routed = true;
	}
	p->linear = below(2) ? UINT_MAX : below(ip_length(p) + 1);
}

static void below_ip(struct packet *p, u16 type, const u8 *bytes, unsigned int length)
{
	/* outermost last: what is there is moved in */
	memmove(p->below + length, p->below, p->below_length);
	memcpy(p->below, bytes, length);
	p->below_length += length;
	p->protocol = type;
}

static void tag(struct packet *p)
{
	static const u16 types[] = { 0x8100, 0x88a8, 0x9100, 0x9200, 0x9300 };
	const u8 inside[4] = { below(256), below(256), p->protocol >> 8, p->protocol };

	below_ip(p, PICK(types), inside, 4);
}

static void tags(struct packet *p)
{
	unsigned int deep = below(5);
	bool other = !below(4);

	if (other) {
		p->protocol = 0x0806;
		p->kind = PASSES;
	}
	p->vlan_beside = below(2);
	if (deep + p->vlan_beside > 2 && !other)
		p->kind = MALFORMED;
	while (deep--)
		tag(p);
	p->linear = below(2) ? UINT_MAX : below(p->below_length + ip_length(p) + 1);
}

static void tags_without_end(struct packet *p)
{
	unsigned int deep = 17 + below(4);

	while (deep--)
		tag(p);
	p->kind = PASSES;
}

static void pppoe(struct packet *p)
{
	u8 session[8] = { 0x11, 0, 0, 1, 0, 0, 0, p->six ? 0x57 : 0x21 };
	bool brief = below(2), other = !below(4);

	if (other) {
		session[7] = 0x23;
		p->kind = PASSES;
	}
	if (brief)
		session[6] = session[7];
	below_ip(p, 0x8864, session, brief ? 7 : 8);
	if (below(2))
		tag(p);
	p->linear = below(2) ? UINT_MAX : below(p->below_length + ip_length(p) + 1);
}

static void padded(struct packet *p)
{
	p->padding = 1 + below(60);
	p->linear = below(2) ? UINT_MAX : below(ip_length(p) + p->padding + 1);
	/* a TCP header that lies in the padding is none */
	if (below(2)) {
		p->length_wrong = -(int)(p->tcp_length - below(20));
		p->kind = MALFORMED;
	}
}

static void truncated(struct packet *p)
{
	if (below(2))
		tag(p);
	p->cut = 1 + below(p->below_length + ip_length(p));
	/* Without an IPv4 header it is nobody's. An IPv6 chain that cannot be walked is denied. */
	p->kind = p->cut > ip_length(p) || (!p->six && p->cut + 20 > ip_length(p)) ? PASSES :
										     MALFORMED;
	p->linear = below(2) ? UINT_MAX : below(p->below_length + ip_length(p) + 1);
}

static void not_ip(struct packet *p)
{
	p->kind = MALFORMED;
	switch (below(p->six ? 2 : 4)) {
	case 0:
		p->version = below(2) ? 5 : p->six ? 4 : 6;
		break;
	case 1:
		p->length_wrong = 1 + below(100);
		break;
	case 2:
		p->sum_wrong = true;
		break;
	default:
		p->length_wrong = -(int)(ip_length(p) - below(20));
	}
}

static void large(struct packet *p)
{
	p->gso = below(4);
	/* BIG TCP: too large for the member; whatever is not to be cut up cannot be that */
	p->length_zero = below(2);
	if (p->gso && below(2))
		p->tcp_length = 0x10000 + below(0x10000);
	if (p->tcp_length > 0xff00)
		p->length_zero = true;
	if (p->length_zero && !p->gso && in_bridge(p))
		p->kind = MALFORMED;
	p->linear = 40 + below(200);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	random_state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	rounds = argc > 1 ? atoi(argv[1]) : 20;
	printf("# seed %llu\n", (unsigned long long)random_state);
	random_state = random_state * 0x9e3779b97f4a7c15ULL | 1;
	mn.counted.here = &stats;
	mn.counted.behind = &behind;
	mn.counted.seen = &seen;
	mw_hook_init(&mn);
	shape_point(AT(FORWARD), NULL, "routed, plain");
	shape_point(AT(FORWARD), in_a_vrf, "routed, in a VRF");
	shape_point(AT(FORWARD_BRIDGED), NULL, "shown by br_netfilter");
	shape_point(AT_BRIDGE, NULL, "bridged, plain");
	shape_point(AT_HOST, NULL, "between this host and gateways behind");
	shape_point(ANYWHERE, nonlinear, "headers outside the linear data");
	shape_point(ANYWHERE, lengths, "every data offset in every length");
	shape_point(ANYWHERE, ipv4_options, "IPv4 options and source routes");
	shape_point(ANYWHERE, ipv4_fragments, "IPv4 fragments");
	shape_point(ANYWHERE, ipv6_fragments, "IPv6 fragments");
	shape_point(ANYWHERE, ipv6_chains, "IPv6 extension headers");
	shape_point(AT_BRIDGE, tags, "VLAN tags, in the packet and beside it");
	shape_point(AT_BRIDGE, tags_without_end, "VLAN tags without end");
	shape_point(AT_BRIDGE, pppoe, "PPPoE sessions");
	shape_point(AT_BRIDGE, padded, "padding");
	shape_point(AT_BRIDGE, truncated, "truncated frames");
	shape_point(AT_BRIDGE, not_ip, "IP headers that the IP layer would drop");
	shape_point(AT(FORWARD) | AT_BRIDGE, large, "GSO and BIG TCP");
	mw_flow_destroy(mn.flows);
	return all_done("packets");
}
