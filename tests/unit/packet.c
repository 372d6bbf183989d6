// SPDX-License-Identifier: GPL-2.0
/*
 * The packet path on this machine: kmod/hook.c and what it calls, compiled from the
 * module's own source over tests/unit/kernel, and given packets. Each one's fate, what
 * it counts, logs, asks of the socket table and leaves in skb->sk is compared with the
 * naive decision of naive.c and with what the packet was made to be.
 *
 *	packet [quick|few] [POINT]
 *
 * POINT: of those that take long, no other is tried.
 */
#include "edit.h"
#include "naive.h"
#include "world.h"

/* Packets */

enum socket { SK_NONE, SK_OWN, SK_OTHER, SK_LISTENER };

/* How a packet is made, and what it is therefore. */
struct packet {
	struct naive_segment s;
	enum socket sk; /* what early demux or somebody else left in skb->sk */
	struct net_device *in, *out, *route;
	/* between the IP and the TCP header: IPv4 options or IPv6 extension headers */
	u8 between[64];
	unsigned int between_length;
	u8 first_header; /* IPv6: of the chain */
	u16 frag_off; /* IPv4, host order */
	u8 ihl; /* IPv4: another than that of the options, 0 for that */
	u8 offset_byte; /* byte 12 of the TCP header */
	unsigned int tcp_length; /* bytes from the TCP header on */
	unsigned int linear; /* bytes of it all that lie in the linear data */
	/* what it is */
	bool judged, malformed, fragment, routed;
};

static const u8 own4[4] = { 192, 0, 2, 1 };
static const u8 own6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };

static struct packet packet_of(struct naive_segment s)
{
	return (struct packet){
		.s = s,
		.in = &eth,
		.out = &eth,
		.route = &eth,
		.first_header = IPPROTO_TCP,
		.offset_byte = 0x50,
		.tcp_length = 20,
		.linear = UINT_MAX,
		.judged = true,
	};
}

/* Writes the packet's bytes. Return: how many. */
static unsigned int packet_bytes(const struct packet *p, u8 *bytes)
{
	bool in = p->s.direction == MAILWALL_IN, ipv6 = p->s.family == AF_INET6;
	const u8 *own = ipv6 ? own6 : own4;
	const u8 *source = in ? p->s.peer : own, *target = in ? own : p->s.peer;
	unsigned int header = ipv6 ? 40 : 20, at = header + p->between_length, i;
	u16 source_port = in ? p->s.remote : p->s.local;
	u16 target_port = in ? p->s.local : p->s.remote;

	memset(bytes, 0, at + p->tcp_length);
	if (ipv6) {
		bytes[0] = 0x60;
		bytes[6] = p->between_length ? p->first_header : IPPROTO_TCP;
		memcpy(bytes + 8, source, 16);
		memcpy(bytes + 24, target, 16);
	} else {
		bytes[0] = 0x40 | (p->ihl ? p->ihl - 1U : 5 + p->between_length / 4);
		bytes[6] = p->frag_off >> 8;
		bytes[7] = p->frag_off;
		bytes[9] = IPPROTO_TCP;
		memcpy(bytes + 12, source, 4);
		memcpy(bytes + 16, target, 4);
	}
	memcpy(bytes + header, p->between, p->between_length);
	for (i = 0; i < p->tcp_length; i++)
		bytes[at + i] = i == 0	? source_port >> 8 :
				i == 1	? source_port :
				i == 2	? target_port >> 8 :
				i == 3	? target_port :
				i == 12 ? p->offset_byte :
				i == 13 ? p->s.flags :
					  0;
	return at + p->tcp_length;
}

static void sock_of(struct sock *sk, const struct packet *p, enum socket kind)
{
	bool ipv6 = p->s.family == AF_INET6;

	memset(sk, 0, sizeof(*sk));
	sk->references = 1;
	sk->sk_family = p->s.family;
	sk->sk_state = kind == SK_LISTENER ? TCP_LISTEN : TCP_ESTABLISHED;
	sk->sk_dport = htons(p->s.remote + (kind == SK_OTHER));
	sk->sk_num = p->s.local;
	if (ipv6) {
		memcpy(&sk->sk_v6_daddr, p->s.peer, 16);
		memcpy(&sk->sk_v6_rcv_saddr, own6, 16);
	} else {
		memcpy(&sk->sk_daddr, p->s.peer, 4);
		memcpy(&sk->sk_rcv_saddr, own4, 4);
	}
}

static u8 site_slot[MAILWALL_SITE_MAX];

/* Is the last packet, if it is plain, for mw_general() to settle? */
static bool left;

/* Gives the packet to the hook; is all that follows what should? */
static bool send_packet(const struct mw_spec *spec, const struct packet *p)
{
	bool in = p->s.direction == MAILWALL_IN, ipv6 = p->s.family == AF_INET6;
	struct dst_entry dst = { .dev = p->route };
	struct nf_hook_state state = {
		.hook = in ? NF_INET_LOCAL_IN : NF_INET_LOCAL_OUT,
		.pf = ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4,
		.in = in ? p->in : NULL,
		.out = in ? NULL : p->out,
		.net = &net,
	};
	struct naive_answer want = naive_judge(spec, &p->s);
	bool judged = p->judged && spec->mode != MAILWALL_OFF;
	bool held = p->s.connection || (in && p->sk == SK_OWN);
	static struct mw_stats expected;
	unsigned int length, verdict, reason, fate = NF_ACCEPT, asked = 0, log = 0;
	struct sk_buff skb = { .iif = 2, .sdif = 5, .dst = &dst };
	u8 bytes[256], *more;
	struct sock demuxed;
	bool good;

	length = packet_bytes(p, bytes);
	more = lay_out(&skb, bytes, length, p->linear);
	skb.network_header = HEADROOM;
	if (p->sk != SK_NONE) {
		sock_of(&demuxed, p, p->sk);
		skb.sk = &demuxed;
		skb.destructor = sock_edemux;
	}
	sock_of(&connection, p, SK_OWN);
	connection_exists = p->s.connection;
	lookups = logged = 0;
	expected = stats;

	/* What should be. */
	if (p->routed && !in) {
		/* the peer is nobody that ADM holds */
		struct naive_segment s = p->s;
		static const u8 nobody[16];

		s.peer = nobody;
		want = naive_judge(spec, &s);
	}
	if (held && want.reason == MAILWALL_NO_CONNECTION && !want.allowed) {
		struct naive_segment s = p->s;

		s.connection = true;
		want = naive_judge(spec, &s);
	}
	if (p->malformed)
		want = (struct naive_answer){ .reason = MAILWALL_MALFORMED };
	reason = want.reason;
	if (judged) {
		asked = want.asked && p->sk != SK_OWN;
		if (want.allowed) {
			unsigned int slot = want.row < MW_TABLE_ROWS ?
						    want.row + 1 :
						    site_slot[want.row - MW_TABLE_ROWS];

			struct mw_row_stats *row = &expected.row[p->s.direction][slot];

			row->segments++;
			row->bytes += length;
			row->openings += (p->s.flags & 0x12) == 2;
		} else if (in ? p->route->nd_net != &net : p->out == &vrf && p->route != &vrf) {
			/* somebody else's to deny */
		} else {
			bool audit = spec->mode == MAILWALL_AUDIT;

			++*(audit ? &expected.would_deny[p->s.direction][reason] :
				    &expected.denied[p->s.direction][reason]);
			log = spec->log != MAILWALL_LOG_OFF;
			if (!audit)
				fate = in ? NF_DROP : NF_DROP | ECONNREFUSED << 16;
		}
	}
	/*
	 * What only counts is settled at once, in whatever mode, and so are denials that only
	 * drop. By the row for ADM, whether early demux found the socket is asked after that.
	 */
	left = spec->mode == MAILWALL_OFF ||
	       ((!want.allowed || asked || (want.asked && p->s.remote == 636)) &&
		(spec->mode == MAILWALL_AUDIT || spec->log != MAILWALL_LOG_OFF));

	verdict =
		mn.ops[(ipv6 ? 2 : 0) + !in].hook(mn.ops[(ipv6 ? 2 : 0) + !in].priv, &skb, &state);

	good = verdict == fate && lookups == asked && logged == log &&
	       (!log || log_reason == reason) && !memcmp(&stats, &expected, sizeof(stats));
	/* A socket that was found is left for TCP, but not in somebody else's place. */
	if (asked && p->s.connection && p->sk == SK_NONE && !p->fragment)
		good = good && skb.sk == &connection && skb.destructor == sock_edemux &&
		       connection.references == 2;
	else
		good = good && skb.sk == (p->sk != SK_NONE ? &demuxed : NULL) &&
		       connection.references == 1;
	if (!good) {
		printf("# %s IPv%d local %u remote %u flags 0x%02x connection %d sk %d mode %u log %u: verdict 0x%x for 0x%x, %u look-ups for %u, logged %u for %u, expected %s\n",
		       in ? "in" : "out", ipv6 ? 6 : 4, p->s.local, p->s.remote, p->s.flags,
		       p->s.connection, p->sk, spec->mode, spec->log, verdict, fate, lookups, asked,
		       logged, log, want.allowed ? "pass" : mw_reason_name(reason));
		stats = expected;
	}
	cases++;
	free(skb.head);
	free(more);
	return good;
}

/* Policies */

static struct mw_policy policy;
static const u8 adm4[4] = { 198, 51, 100, 7 }, any4[4] = { 203, 0, 113, 9 };
static const u8 adm6[16] = { 0x20, 1, 0xd, 0xb8, 0, 0xb, [15] = 7 };
static const u8 any6[16] = { 0x20, 1, 0xd, 0xb8, 0, 0xc, [15] = 9 };

static struct mw_spec spec_of(unsigned int mode, unsigned int log)
{
	static const struct mailwall_row site[] = {
		{ 22, MAILWALL_ADM, MAILWALL_GTW },    { 636, MAILWALL_GTW, MAILWALL_ADM },
		{ 53, MAILWALL_GTW, MAILWALL_ANY },    { 8450, MAILWALL_GTW, MAILWALL_ANY },
		{ 40000, MAILWALL_ANY, MAILWALL_GTW },
	};
	struct mw_spec spec = {
		.mode = mode,
		.log = log,
		.adm_count = 2,
		.site_count = ARRAY_SIZE(site),
		.gtw_count = 1,
		.adm = { { .family = AF_INET, .length = 24, .address = { 198, 51, 100 } },
			 { .family = AF_INET6,
			   .length = 48,
			   .address = { 0x20, 1, 0xd, 0xb8, 0, 0xb } } },
	};

	memcpy(spec.site, site, sizeof(site));
	return spec;
}

static void publish(const struct mw_spec *spec)
{
	unsigned int i;

	memset(&policy, 0, sizeof(policy));
	for (i = 0; i < MAILWALL_SITE_MAX; i++)
		site_slot[i] = MW_SITE_SLOT + (i * 37 + 5) % MW_SITE_SLOTS;
	mw_policy_build(&policy, spec, site_slot);
	mn.policy = &policy;
}

static const u8 *peer_of(int family, bool held)
{
	return family == AF_INET6 ? (held ? adm6 : any6) : (held ? adm4 : any4);
}

/* Every port that a row has, its neighbours, and ports of no row. */
static const u16 ports[] = { 0,	  1,   22,  24,	  25,	26,   53,   109,  110,	 111,	465,
			     587, 636, 995, 2137, 8449, 8450, 8451, 8706, 40000, 41000, 65535 };

/* Plain segments, all that the decision looks at. */
static bool product(const struct mw_spec *spec, unsigned int step)
{
	unsigned int i, j, flags, kind;
	bool good = true;

	publish(spec);
	for (i = 0; i < ARRAY_SIZE(ports); i++)
		for (j = 0; j < ARRAY_SIZE(ports); j++)
			/* from the SYN on, which step 7 leads to ACK */
			for (flags = step == 7 ? 2 : 0; flags < 256; flags += step)
				for (kind = 0; kind < 64 && good; kind++) {
					int family = kind & 1 ? AF_INET6 : AF_INET;
					struct packet p = packet_of((struct naive_segment){
						.direction = kind & 2 ? MAILWALL_OUT : MAILWALL_IN,
						.family = family,
						.flags = flags,
						.local = ports[i],
						.remote = ports[j],
						.peer = peer_of(family, kind & 4),
						.connection = kind & 8,
					});

					p.sk = kind >> 4;
					if (p.s.direction == MAILWALL_OUT && p.sk != SK_NONE)
						continue;
					generally = 0;
					good = send_packet(spec, &p) && generally == left;
				}
	return good;
}

/* For a mutant: a seventh of the combinations of flags, and of the pairs of ports. */
static bool few;

/* A few segments that together meet each verdict, in each form that p has. */
static bool verdicts(const struct mw_spec *spec, const struct packet *form)
{
	static const u8 flags[] = { 0x02, 0x10, 0x12, 0x00, 0x04 };
	unsigned int pair, k;
	bool good = true;

	publish(spec);
	for (pair = 0; pair < ARRAY_SIZE(ports) * ARRAY_SIZE(ports); pair += few ? 7 : 1)
		for (k = 0; k < 8 * ARRAY_SIZE(flags) && good; k++) {
			struct packet p = *form;

			p.s.flags = flags[k / 8];
			p.s.local = ports[pair / ARRAY_SIZE(ports)];
			p.s.remote = ports[pair % ARRAY_SIZE(ports)];
			p.s.peer = peer_of(p.s.family, k & 1);
			p.s.connection = k & 2;
			p.s.direction = k & 4 ? MAILWALL_OUT : MAILWALL_IN;
			good = send_packet(spec, &p);
		}
	return good;
}

static bool each_policy(const struct packet *form)
{
	struct mw_spec plain = spec_of(MAILWALL_ENFORCE, MAILWALL_LOG_OFF);
	struct mw_spec audit = spec_of(MAILWALL_AUDIT, MAILWALL_LOG_KERNEL);

	return verdicts(&plain, form) && verdicts(&audit, form);
}

/*
 * Data offsets and lengths: where the header ends, where the packet ends, where it is split.
 * A whole header in the linear data takes the plain path, whatever bits are beside its offset.
 */
static bool lengths(int family)
{
	struct mw_spec spec = spec_of(MAILWALL_ENFORCE, MAILWALL_LOG_OFF);
	unsigned int byte, length, split, header = family == AF_INET6 ? 40 : 20;
	bool good = true;

	publish(&spec);
	for (byte = 0; byte < 256; byte++)
		for (length = 0; length <= 64; length++)
			for (split = 0; split <= length && good; split += split < 24 ? 1 : 8) {
				struct packet p = packet_of((struct naive_segment){
					.direction = byte & 1 ? MAILWALL_OUT : MAILWALL_IN,
					.family = family,
					.flags = 0x10,
					.local = 25,
					.remote = 40001,
					.peer = peer_of(family, false),
				});

				p.offset_byte = byte;
				p.tcp_length = length;
				p.linear = header + split;
				p.malformed = length < 20 || byte >> 4 < 5 ||
					      (byte >> 4) * 4 > length;
				generally = 0;
				good = send_packet(&spec, &p) &&
				       !generally == (!p.malformed && split >= (byte >> 4) * 4);
			}
	return good;
}

static struct packet form_of(int family)
{
	return packet_of((struct naive_segment){ .family = family });
}

static struct packet with(struct packet p, const u8 *bytes, unsigned int length, u8 first)
{
	memcpy(p.between + p.between_length, bytes, length);
	if (!p.between_length)
		p.first_header = first;
	p.between_length += length;
	return p;
}

static void ipv4_forms(void)
{
	static const u8 nops[40] = { [0 ... 39] = IPOPT_NOOP };
	static const u8 left[] = { IPOPT_NOOP, IPOPT_LSRR, 7, 4, 9, 9, 9, 9 };
	static const u8 strict[] = { 148, 4, 0, 0, IPOPT_SSRR, 11, 8, 9, 9, 9, 9, 9, 9, 9, 9, 0 };
	static const u8 done[] = { IPOPT_LSRR, 7, 8, 9, 9, 9, 9, 0 };
	static const u8 ended[] = { IPOPT_END, IPOPT_LSRR, 7, 4, 9, 9, 9, 9 };
	static const u8 hidden[] = { 7, 7, 4, IPOPT_LSRR, 7, 4, 9, 0 };
	static const u8 cut[] = { IPOPT_NOOP, IPOPT_NOOP, IPOPT_NOOP, IPOPT_LSRR };
	static const u8 senseless[] = { 7, 1, 0, 0 }, too_long[] = { 7, 5, 0, 0 };
	static const u8 two[] = { IPOPT_LSRR, 2, 0, 0 };
	struct packet p;
	bool good = true;
	unsigned int i;

	for (i = 4; i <= 40; i += 4) {
		p = with(form_of(AF_INET), nops, i, 0);
		good = good && each_policy(&p);
		p.linear = 20 + i / 2;
		good = good && each_policy(&p);
	}
	point(good, "IPv4 options, linear and not");

	p = with(form_of(AF_INET), done, sizeof(done), 0);
	good = each_policy(&p);
	p = with(form_of(AF_INET), ended, sizeof(ended), 0);
	good = good && each_policy(&p);
	p = with(form_of(AF_INET), hidden, sizeof(hidden), 0);
	point(good && each_policy(&p),
	      "IPv4 source routes without hops left, or inside another option");

#define ROUTED(options)                                                  \
	do {                                                             \
		p = with(form_of(AF_INET), options, sizeof(options), 0); \
		p.routed = true;                                         \
		good = good && each_policy(&p);                          \
		p.linear = 22;                                           \
		good = good && each_policy(&p);                          \
	} while (0)
	good = true;
	ROUTED(left);
	ROUTED(strict);
	point(good, "IPv4 source routes with hops left: outbound, no ADM holds the peer");
	good = true;
	ROUTED(cut);
	ROUTED(senseless);
	ROUTED(too_long);
	ROUTED(two);
	point(good, "IPv4 options that make no sense count as such a route");

	p = form_of(AF_INET);
	p.frag_off = IP_MF;
	p.fragment = true;
	good = each_policy(&p);
	p.tcp_length = 19;
	p.malformed = true;
	point(good && each_policy(&p), "IPv4 first fragments, whole and cut short");
	p = form_of(AF_INET);
	p.judged = false;
	p.frag_off = 1;
	good = each_policy(&p);
	p.frag_off = IP_MF | 0x1fff;
	point(good && each_policy(&p), "IPv4 fragments with an offset");
	p = form_of(AF_INET);
	p.frag_off = 0x4000;
	point(each_policy(&p), "IPv4 with DF");
	good = true;
	for (i = 1; i <= 5; i++) {
		p = form_of(AF_INET);
		p.ihl = i; /* one less */
		p.malformed = true;
		good = good && each_policy(&p);
	}
	point(good, "IPv4 header lengths below 5");
}

static void ipv6_forms(void)
{
	static const u8 tcp_after[8] = { IPPROTO_TCP };
	static const u8 hop_then_dest[8] = { NEXTHDR_DEST };
	static const u8 long_dest[16] = { IPPROTO_TCP, 1 };
	static const u8 auth[16] = { IPPROTO_TCP, 2 };
	static const u8 first[8] = { IPPROTO_TCP, 0, 0, 1 }, atomic[8] = { IPPROTO_TCP };
	static const u8 later[8] = { IPPROTO_TCP, 0, 0, 8 };
	static const u8 route_left[8] = { IPPROTO_TCP, 0, 4, 1 };
	static const u8 route_done[8] = { NEXTHDR_ROUTING, 0, 4, 0 };
	static const u8 past_end[8] = { NEXTHDR_DEST, 200 };
	static const u8 udp_after[8] = { 17 }, none_after[8] = { NEXTHDR_NONE };
	struct packet p;
	bool good;

	p = with(form_of(AF_INET6), tcp_after, 8, NEXTHDR_HOP);
	good = each_policy(&p);
	p = with(with(form_of(AF_INET6), hop_then_dest, 8, NEXTHDR_HOP), long_dest, 16, 0);
	good = good && each_policy(&p);
	p.linear = 41;
	good = good && each_policy(&p);
	p = with(form_of(AF_INET6), auth, 16, NEXTHDR_AUTH);
	point(good && each_policy(&p), "IPv6 extension headers");

	p = with(form_of(AF_INET6), first, 8, NEXTHDR_FRAGMENT);
	p.fragment = true;
	good = each_policy(&p);
	memcpy(p.between, atomic, 8);
	good = good && each_policy(&p);
	p.tcp_length = 12;
	p.malformed = true;
	point(good && each_policy(&p), "IPv6 first and atomic fragments, whole and cut short");
	p = with(form_of(AF_INET6), later, 8, NEXTHDR_FRAGMENT);
	p.judged = false;
	point(each_policy(&p), "IPv6 fragments with an offset");

	p = with(form_of(AF_INET6), route_left, 8, NEXTHDR_ROUTING);
	p.routed = true;
	good = each_policy(&p);
	p = with(with(form_of(AF_INET6), route_done, 8, NEXTHDR_ROUTING), route_left, 8, 0);
	p.routed = true;
	point(good && each_policy(&p),
	      "IPv6 routing headers with segments left: outbound, no ADM holds the peer");
	p = with(with(form_of(AF_INET6), route_done, 8, NEXTHDR_ROUTING), route_done, 8, 0);
	p.between[8] = IPPROTO_TCP;
	point(each_policy(&p), "IPv6 routing headers without segments left");

	p = with(form_of(AF_INET6), past_end, 8, NEXTHDR_DEST);
	p.malformed = true;
	point(each_policy(&p), "IPv6 chains that cannot be walked");
	p = with(form_of(AF_INET6), udp_after, 8, NEXTHDR_DEST);
	p.judged = false;
	good = each_policy(&p);
	p = with(form_of(AF_INET6), none_after, 8, NEXTHDR_DEST);
	p.judged = false;
	point(good && each_policy(&p), "IPv6 chains that end in something else");
}

static bool both_families(struct packet p)
{
	p.s.family = AF_INET;
	if (!each_policy(&p))
		return false;
	p.s.family = AF_INET6;
	return each_policy(&p);
}

static void devices(void)
{
	struct packet p = form_of(AF_INET);

	p.in = &lo;
	p.route = &lo;
	p.judged = false;
	point(both_families(p), "loopback is not judged");
	/* and not what OUTPUT redirected to it after the route was first looked up */
	p.in = &lo;
	p.out = &eth;
	point(both_families(p), "what is redirected to loopback is not judged");
	p = form_of(AF_INET);
	p.out = &lo;
	point(both_families(p), "what is redirected from loopback to a device is");
	p = form_of(AF_INET);
	p.out = &vrf;
	point(both_families(p), "by a VRF device, denied at the second pass only");
	p.route = &vrf;
	point(both_families(p), "by a VRF device that the route leads to, denied there");
	p = form_of(AF_INET);
	p.route = &foreign;
	point(both_families(p), "routed to another namespace: not ours to deny");
}

static void not_tcp(void)
{
	struct mw_spec spec = spec_of(MAILWALL_ENFORCE, MAILWALL_LOG_OFF);
	bool good = true;
	unsigned int i;

	publish(&spec);
	for (i = 0; i < 512; i++) {
		/* What follows would be a TCP header, of 20 bytes. */
		u8 bytes[60] __aligned(8) = { 0x45, [6] = i, [9] = i, [32] = 0x50, [52] = 0x50 };
		bool ipv6 = i & 256;
		struct dst_entry dst = { .dev = &eth };
		struct nf_hook_state state = { .hook = NF_INET_LOCAL_IN,
					       .in = &eth,
					       .net = &net,
					       .pf = ipv6 ? NFPROTO_IPV6 : NFPROTO_IPV4 };
		struct sk_buff skb = {
			.head = bytes, .data = bytes, .len = sizeof(bytes), .dst = &dst
		};

		if ((i & 255) == IPPROTO_TCP || (ipv6 && ipv6_ext_hdr(i)))
			continue;
		if (!ipv6)
			bytes[6] = 0;
		good = good && mn.ops[ipv6 ? 2 : 0].hook(&mn, &skb, &state) == NF_ACCEPT;
	}
	point(good, "what is not TCP passes");
}

/* docs/decision.md "What is judged" */
static bool ops_as_documented(void)
{
	static const struct {
		u8 family;
		unsigned int hook;
		int priority;
	} want[MW_HOOKS] = {
		{ NFPROTO_IPV4, NF_INET_LOCAL_IN, 1 },	   { NFPROTO_IPV4, NF_INET_LOCAL_OUT, 1 },
		{ NFPROTO_IPV6, NF_INET_LOCAL_IN, 1 },	   { NFPROTO_IPV6, NF_INET_LOCAL_OUT, 1 },
		{ NFPROTO_IPV4, NF_INET_FORWARD, 1 },	   { NFPROTO_IPV6, NF_INET_FORWARD, 1 },
		{ NFPROTO_BRIDGE, NF_BR_FORWARD, -200 },   { NFPROTO_BRIDGE, NF_BR_LOCAL_IN, -200 },
		{ NFPROTO_BRIDGE, NF_BR_LOCAL_OUT, -200 },
	};
	unsigned int i;

	mn.policy = &policy;
	mn.counted.here = &stats;
	mw_hook_init(&mn);
	for (i = 0; i < MW_HOOKS; i++)
		if (mn.ops[i].pf != want[i].family || mn.ops[i].priv != &mn ||
		    mn.ops[i].hooknum != want[i].hook || mn.ops[i].priority != want[i].priority)
			return false;
	return true;
}

static bool registered_are(unsigned int sets)
{
	unsigned int i;

	for (i = 0; i < MW_HOOKS; i++)
		if (registered[i] != !!(sets & (i < 4 ? MW_HOOK_HOST :
						i < 6 ? MW_HOOK_FORWARD :
							MW_HOOK_BRIDGE)))
			return false;
	return mn.hooked == sets;
}

/* Each set comes and goes by itself; one that cannot come takes back what came before it. */
static bool hooks_come_and_go(void)
{
	unsigned int have, want;

	for (have = 0; have < 8; have++)
		for (want = 0; want < 8; want++) {
			for (hook_fails = 0; hook_fails <= MW_HOOKS; hook_fails++) {
				unsigned int set = hook_fails < 4 ? MW_HOOK_HOST :
						   hook_fails < 6 ? MW_HOOK_FORWARD :
								    MW_HOOK_BRIDGE;
				bool fails = hook_fails < MW_HOOKS && set & want & ~have;
				unsigned int failing = hook_fails;
				int error;

				hook_fails = MW_HOOKS;
				if (mw_hook_register(&mn, have) || !registered_are(have))
					return false;
				hook_fails = failing;
				error = mw_hook_register(&mn, want);
				if (error != (fails ? -ENOMEM : 0) ||
				    !registered_are(fails ? have : have | want))
					return false;
				mw_hook_unregister(&mn, want);
				if (!registered_are(have & ~want))
					return false;
				mw_hook_unregister(&mn, ~0U);
				if (!registered_are(0))
					return false;
			}
		}
	hook_fails = MW_HOOKS;
	return true;
}

/* "No hook is registered that no item needs." */
static bool hooks_as_needed(void)
{
	static const struct {
		const char *gtw;
		unsigned int sets;
	} needs[] = {
		{ "this", MW_HOOK_HOST },
		{ "192.0.2.10", MW_HOOK_HOST | MW_HOOK_FORWARD },
		{ "this,2001:db8::/64", MW_HOOK_HOST | MW_HOOK_FORWARD },
		{ "port:tap0", MW_HOOK_HOST | MW_HOOK_FORWARD | MW_HOOK_BRIDGE },
		{ "port:tap0,this,192.0.2.10", MW_HOOK_HOST | MW_HOOK_FORWARD | MW_HOOK_BRIDGE },
	};
	static struct mw_gateways g;
	unsigned int i, mode;

	for (i = 0; i < ARRAY_SIZE(needs); i++)
		for (mode = MAILWALL_OFF; mode <= MAILWALL_ENFORCE; mode++) {
			struct mw_spec spec = spec_of(mode, MAILWALL_LOG_OFF);
			u8 slot[MAILWALL_GTW_MAX] = { 1, 2, 3 };
			struct mw_complaint c;

			assert(!mw_edit_gtw(&spec, needs[i].gtw, strlen(needs[i].gtw), &c));
			publish(&spec);
			memset(&g, 0, sizeof(g));
			mw_policy_set_gateways(&policy, mw_spec_is_behind(&spec) ? &g : NULL, slot);
			if (mw_hook_needed(&policy) != (mode == MAILWALL_OFF ? 0 : needs[i].sets))
				return false;
		}
	return true;
}

int main(int argc, char **argv)
{
	static const struct {
		unsigned int mode, log;
		const char *name;
	} modes[] = {
		{ MAILWALL_ENFORCE, MAILWALL_LOG_OFF, "enforce" },
		{ MAILWALL_ENFORCE, MAILWALL_LOG_NFLOG, "enforce, logged" },
		{ MAILWALL_AUDIT, MAILWALL_LOG_OFF, "audit" },
		{ MAILWALL_OFF, MAILWALL_LOG_KERNEL, "off, while the hooks are there" },
	};
	unsigned int i, step;

	few = argc > 1 && !strcmp(argv[1], "few");
	/* quick: a third of the combinations of flags */
	step = few ? 7 : argc > 1 ? 3 : 1;
	only = argc > 2 ? argv[2] : NULL;
	point(ops_as_documented(), "hooks, families and priorities");
	point(hooks_come_and_go(), "hooks come and go in sets");
	point(hooks_as_needed(), "no hook is registered that no item needs");
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		struct mw_spec spec = spec_of(modes[i].mode, modes[i].log);
		char what[80];

		snprintf(what, sizeof(what), "plain segments: %s", modes[i].name);
		TRY(product(&spec, i ? 7 : step), what);
	}
	TRY(lengths(AF_INET), "IPv4: every data offset in every length");
	TRY(lengths(AF_INET6), "IPv6: every data offset in every length");
	ipv4_forms();
	ipv6_forms();
	devices();
	not_tcp();
	return all_done("packets");
}
