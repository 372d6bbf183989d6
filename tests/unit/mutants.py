"""The ways in which mutate.py breaks the code, and the point that is meant to notice each."""
import os

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
# The tests are correct C; a mutant may be anything that compiles.
CC = ["gcc", "-std=gnu11", "-O1", "-w", "-pthread"]
PURE = ["kmod/table.c", "kmod/policy.c", "kmod/gateway.c", "kmod/edit.c", "kmod/prefix.c"]
FLAGS_OF_PACKET = ["-D_GNU_SOURCE", "-fno-strict-aliasing", "-I", os.path.join(TOP, "tests/unit/kernel")]
# Compiled once and run for a moment, they take longer to optimize than that saves. packet and behind
# would not link: they call what is not there unless the compiler sees that nobody gets there.
QUICK = ["-O0"]
LINK_OF_PACKET = ["-Wl,--wrap=mw_general"]
PATH = ["tests/unit/world.c", "tests/unit/naive.c", "kmod/hook.c", "kmod/forward.c", "kmod/general.c",
        "kmod/frame.c", "kmod/flow.c", "kmod/segment.c", *PURE]
# What a test is made of, and the arguments that it runs with: as small as notices everything.
# one: it takes the name of a point after them, and tries no other (packet: no other long one).
TESTS = {
    "exhaustive": {
        "sources": ["tests/unit/exhaustive.c", "tests/unit/naive.c", *PURE],
        "flags": QUICK,
        "arguments": ["quick", "1"],
        "one": True,
    },
    "unit": {
        "sources": ["tests/unit/unit.c", "tests/unit/vectors.c", *PURE],
        "flags": QUICK,
        "libraries": ["-lcmocka"],
        "arguments": [os.path.join(TOP, "tests", "vectors", "decision.tsv")],
        "one": True,
    },
    "gateway": {
        "sources": ["tests/unit/gateway.c", "kmod/gateway.c"],
        "flags": ["-D_GNU_SOURCE", "-fno-strict-aliasing"],
        "arguments": ["50", "1"],
    },
    "packet": {
        "sources": ["tests/unit/packet.c", *PATH],
        "flags": FLAGS_OF_PACKET,
        "libraries": LINK_OF_PACKET,
        "arguments": ["few"],
        "one": True,
    },
    "behind": {
        "sources": ["tests/unit/behind.c", *PATH],
        "flags": FLAGS_OF_PACKET,
        "libraries": LINK_OF_PACKET,
        "arguments": ["4"],
    },
    "flow": {
        "sources": ["tests/unit/flow.c", "kmod/flow.c"],
        "flags": [*FLAGS_OF_PACKET, "-DMEMORY_TURN"],
        "arguments": ["model", "20000", "1"],
        "one": True,
    },
}

ROWS = [
    ("25", "GTW, ANY"), ("25", "ANY, GTW"), ("110", "GTW, ANY"), ("110", "ANY, GTW"),
    ("8450", "ADM, GTW"), ("465", "GTW, ANY"), ("465", "ANY, GTW"), ("587", "GTW, ANY"),
    ("587", "ANY, GTW"), ("995", "GTW, ANY"), ("995", "ANY, GTW"),
]
FLAGS = ["MW_SYN)", "MW_SYN | MW_URG)", "MW_SYN | MW_ACK)", "MW_RST)", "MW_RST | MW_ACK)",
         "MW_FIN | MW_ACK)", "MW_FIN | MW_ACK | MW_URG)", "MW_ACK)", "MW_ACK | MW_URG)"]

# What is no kill, though something fails: (why, mutant). The last one survives.
NO_KILLS = [
    ("the text is there 0 times", ("unit: test_table", "policy.h", "no such text", "")),
    ("does not compile", ("unit: test_table", "policy.h", "verdict.row = here;", "verdict.row = (;")),
    ("status None", ("exhaustive: no site row, all flags", "policy.h", "verdict.row = here;",
                     "for (;;);")),
    ("did not come to its end", ("exhaustive: no site row, all flags", "policy.h",
                                 "verdict.row = here;", "*(volatile int *)0 = 0;")),
    ("did not come to its end", ("unit: test_vectors", "policy.h", "verdict.row = here;",
                                 "*(volatile int *)0 = 0;")),
    ("not noticed by unit: test_pages", ("unit: test_pages", "table.h", "ROW(25, GTW, ANY,",
                                        "ROW(25, GTW, ADM,")),
    ("not noticed by unit: test_table", ("unit: test_table", "policy.h", "verdict.row = here;",
                                         "verdict.row  = here;")),
]
MUTANTS = []


def meant(point, mutants):
    """Mutants, (file, text, what replaces it), that this point is to notice."""
    MUTANTS.extend((point, *mutant) for mutant in mutants)


for port, ends in ROWS:
    row = f"ROW({port}, {ends},"
    meant("unit: test_table", [
        ("table.h", row, f"ROW({int(port) + 1}, {ends},"),
        # The other end as well, unless that only makes two rows change places.
        ("table.h", row, row.replace("ANY", "ADM") if "ANY" in ends else row.replace("ADM", "ANY")),
    ])
meant("unit: test_table", [("table.h", "ROW(8450, ADM, GTW,", "ROW(8450, GTW, ADM,")])
# The mask is checked bit by bit: each combination goes, and none comes instead.
meant("exhaustive: no site row, all flags",
      [("policy.h", f"MW_BIT({flags}", "0ULL") for flags in FLAGS])

# the decision, step by step
meant("exhaustive: 32 site rows, all flags", [
    ("policy.h", "1ULL << (flags) | 1ULL << ((flags) | MW_PSH)", "1ULL << (flags)"),
    ("policy.h", "1ULL << (flags) | 1ULL << ((flags) | MW_PSH)", "1ULL << ((flags) | MW_PSH)"),
    ("policy.h", "MW_BIT(MW_ACK) | MW_BIT(MW_ACK | MW_URG))",
     "MW_BIT(MW_ACK) | MW_BIT(MW_ACK | MW_URG) | MW_BIT(0))"),
    ("policy.h", "MW_BIT(MW_ACK) | MW_BIT(MW_ACK | MW_URG))",
     "MW_BIT(MW_ACK) | MW_BIT(MW_ACK | MW_URG) | MW_BIT(MW_FIN))"),
    ("policy.h", "MW_BIT(MW_ACK) | MW_BIT(MW_ACK | MW_URG))",
     "MW_BIT(MW_ACK) | MW_BIT(MW_ACK | MW_URG) | MW_BIT(MW_SYN | MW_ACK | MW_URG))"),
    ("policy.h", "MW_BIT(MW_ACK) | MW_BIT(MW_ACK | MW_URG))",
     "MW_BIT(MW_ACK) | MW_BIT(MW_ACK | MW_URG) | MW_BIT(MW_SYN | MW_FIN))"),
    ("policy.h", "(flags & 63) & 1", "(flags & 31) & 1"),
    ("policy.h", "#define MW_FIN 0x01", "#define MW_FIN 0x40"),
    ("policy.h", "#define MW_SYN 0x02", "#define MW_SYN 0x01"),
    ("policy.h", "#define MW_RST 0x04", "#define MW_RST 0x08"),
    ("policy.h", "#define MW_PSH 0x08", "#define MW_PSH 0x04"),
    ("policy.h", "#define MW_ACK 0x10", "#define MW_ACK 0x20"),
    ("policy.h", "#define MW_URG 0x20", "#define MW_URG 0x08"),
    ("policy.h", "verdict = { .reason = MAILWALL_FLAGS }",
     "verdict = { .reason = MAILWALL_CLOSED }"),
    ("policy.h", "if (unlikely(!mw_flags_valid(seg->flags)))", "if (0)"),
    ("policy.h", "(flags & (MW_SYN | MW_ACK)) == MW_SYN", "(flags & MW_SYN)"),
    ("policy.h", "(flags & (MW_SYN | MW_ACK)) == MW_SYN", "!(flags & MW_ACK)"),
    ("policy.h", "verdict.reason = MAILWALL_CLOSED;", ""),
    ("policy.h", "verdict.reason = MAILWALL_CLOSED;", "verdict.reason = MAILWALL_PEER;"),
    ("policy.h", "mw_policy_entry(policy, policy->in_page, seg->local)",
     "mw_policy_entry(policy, policy->out_page, seg->local)"),
    ("policy.h", "mw_policy_entry(policy, policy->in_page, seg->local)",
     "mw_policy_entry(policy, policy->in_page, seg->remote)"),
    ("policy.h", "mw_policy_entry(policy, policy->out_page, seg->remote)",
     "mw_policy_entry(policy, policy->in_page, seg->remote)"),
    ("policy.h", "mw_policy_entry(policy, policy->out_page, seg->remote)",
     "mw_policy_entry(policy, policy->out_page, seg->local)"),
    ("policy.h", "pages[byte[0]] + byte[1]", "pages[byte[1]] + byte[0]"),
    ("policy.h", "pages[byte[0]] + byte[1]", "pages[byte[0]] + (byte[1] & 0x7f)"),
    ("policy.h", "bool in = seg->direction == MAILWALL_IN;",
     "bool in = seg->direction != MAILWALL_IN;"),
    ("policy.h", "if (here && (in || !mw_flags_opening(seg->flags)))",
     "if (here && (in && !mw_flags_opening(seg->flags)))"),
    ("policy.h", "if (here && (in || !mw_flags_opening(seg->flags)))", "if (here && in)"),
    ("policy.h", "if (here && (in || !mw_flags_opening(seg->flags)))", "if (here)"),
    ("policy.h", "if (here && (in || !mw_flags_opening(seg->flags)))",
     "if (here && !mw_flags_opening(seg->flags))"),
    ("policy.h", "verdict.row = here;", ""),
    ("policy.h", "verdict.if_held = here & MW_IF_HELD;", ""),
    ("policy.h", "verdict.if_held = here & MW_IF_HELD;", "verdict.if_held = true;"),
    ("policy.h", "if (in && mw_flags_opening(seg->flags))", "if (in)"),
    ("policy.h", "if (in && mw_flags_opening(seg->flags))", "if (mw_flags_opening(seg->flags))"),
    ("policy.h", "if (in && mw_flags_opening(seg->flags))", "if (0)"),
    ("policy.h", "verdict.row = there;", "verdict.row = there ?: here;"),
    ("policy.h", "(here | there) & MW_IF_HELD", "there & MW_IF_HELD"),
    ("policy.h", "(here | there) & MW_IF_HELD", "here & MW_IF_HELD"),
    ("policy.h", "(here | there) & MW_IF_HELD", "here & there & MW_IF_HELD"),
    ("policy.h", "verdict.if_connected = in && there;", ""),
    ("policy.h", "verdict.if_connected = in && there;", "verdict.if_connected = in;"),
    ("policy.h", "verdict.if_connected = in && there;", "verdict.if_connected = there;"),
    ("policy.h", "verdict.if_connected = in && there;",
     "verdict.if_connected = in && !(here | there & 1);"),
    ("policy.h", "if (!mw_policy_holds(policy, seg))", "if (1)"),
    ("policy.h", "if (!mw_policy_holds(policy, seg))", "if (0)"),
    ("policy.h", "if (!mw_policy_holds(policy, seg))",
     "if (verdict.row && !mw_policy_holds(policy, seg))"),
    ("policy.h", "if (verdict.if_held)\n", "if (1)\n"),
    ("policy.h", "if (verdict.if_held)\n", "if (0)\n"),
    ("policy.h", ".reason = MAILWALL_PEER }", ".reason = MAILWALL_CLOSED }"),
    ("policy.h", ".reason = MAILWALL_NO_CONNECTION }", ".reason = MAILWALL_CLOSED }"),
    ("policy.h", "if (!connected)\n", "if (connected)\n"),
    ("policy.h", "if (verdict.if_connected)\n", "if (1)\n"),
    ("policy.h", "settle_connection(verdict, connected(context))",
     "settle_connection(verdict, connected(context) || connected(context))"),
    ("policy.h", "(verdict.row & MW_SLOT) |", "verdict.row |"),
    ("policy.h", "#define MW_SLOT 0x7f", "#define MW_SLOT 0x3f"),
    ("policy.h", "#define MW_IF_HELD 0x80", "#define MW_IF_HELD 0x40"),
    ("policy.h", "return seg->ipv6 ?", "return !seg->ipv6 ?"),
])

meant("unit: test_vectors", [
    ("policy.h", "header >= 20 && header <= length", "header > 20 && header <= length"),
    ("policy.h", "header >= 20 && header <= length", "header >= 20 && header < length"),
    ("policy.h", "header >= 20 && header <= length", "header >= 16 && header <= length"),
    ("policy.h", "header >= 20 && header <= length", "header >= 20 && header / 4 <= length"),
])

# building a policy
meant("exhaustive: 32 site rows, all flags", [
    ("table.h", "row->target == MAILWALL_GTW;", "row->source == MAILWALL_GTW;"),
    ("policy.c", "inbound ? policy->in_page : policy->out_page", "policy->in_page"),
    ("policy.c", "inbound ? row->source : row->target", "inbound ? row->target : row->source"),
    ("policy.c", "inbound ? row->source : row->target", "row->source"),
    ("policy.c", "u8 slot = i + 1;", "u8 slot = i;"),
    ("policy.c", "slot = site_slot[i - MW_TABLE_ROWS];", ""),
    ("policy.c", "if (!*page) {", "if (1) {"),
    ("policy.c", "next += MW_PAGE;", ""),
    ("policy.c", "u16 next = MW_PAGE;", "u16 next = 0;"),
    ("policy.c", "*page + (row->port & 0xff)", "*page + (row->port & 0x7f)"),
    ("policy.c", "(peer == MAILWALL_ADM ? MW_IF_HELD : 0)", "0"),
    ("policy.c", "peer == MAILWALL_ADM ? MW_IF_HELD : 0", "MW_IF_HELD"),
    ("policy.c", "mw_prefix_set_build(&policy->adm, spec->adm, spec->adm_count)",
     "mw_prefix_set_build(&policy->adm, spec->adm, spec->adm_count / 2)"),
])

# prefixes
meant("exhaustive: ADM at the edges of random prefixes", [
    ("prefix.h", "set->ipv4_first[at + half] <= a ? half : 0",
     "set->ipv4_first[at + half] < a ? half : 0"),
    ("prefix.h", "set->ipv4_first[at] <= a &&", "set->ipv4_first[at] < a &&"),
    ("prefix.h", "a <= set->ipv4_last[at];", "a < set->ipv4_last[at];"),
    ("prefix.h", "set->ipv4_first[at] <= a && a <= set->ipv4_last[at]", "a <= set->ipv4_last[at]"),
    ("prefix.h", "set->ipv4_first[at] <= a && a <= set->ipv4_last[at]", "set->ipv4_first[at] <= a"),
    ("prefix.h", "u32 a = mw_load_be32(address), at = 0, n = set->ipv4_count;",
     "u32 a = mw_load_be32(address), at = 0, n = set->ipv4_count & 31;"),
    ("prefix.h", "((mw_u128)a_high << 64 | a_low) <=", "((mw_u128)a_high << 64 | a_low) <"),
    ("prefix.h", "((mw_u128)b_high << 64 | b_low)", "((mw_u128)b_high << 64)"),
    ("prefix.h", "mw_ipv6_le(f->high, f->low, high, low) ? half : 0",
     "mw_ipv6_le(f->high, 0, high, low) ? half : 0"),
    ("prefix.h", "mw_load_be64((const u8 *)address + 8)", "mw_load_be64((const u8 *)address + 4)"),
    ("prefix.h", "set->ipv6_first[at].high, set->ipv6_first[at].low, high, low) &&",
     "set->ipv6_first[at].high, 0, high, low) &&"),
    ("prefix.h", "mw_ipv6_le(high, low, set->ipv6_last[at].high, set->ipv6_last[at].low)", "true"),
    ("prefix.c", "(1ULL << (32 - prefix->length)) - 1 : 0xffffffff",
     "(1ULL << (32 - prefix->length)) : 0xffffffff"),
    ("prefix.c", "(1ULL << (32 - prefix->length)) - 1 : 0xffffffff",
     "(1ULL << (32 - prefix->length)) - 1 : 0x7fffffff"),
    ("prefix.c", "(1ULL << (32 - prefix->length)) - 1", "(1ULL << (31 - prefix->length)) - 1"),
    ("prefix.c", "if (n && first <= set->ipv4_last[n - 1]) {", "if (0) {"),
    ("prefix.c", "first - 1 == set->ipv4_last[n - 1]", "first - 2 == set->ipv4_last[n - 1]"),
    ("prefix.c", "first - 1 == set->ipv4_last[n - 1]", "first > set->ipv4_last[n - 1]"),
    ("prefix.c", "if (length < 64) {", "if (length < 63) {"),
    ("prefix.c", "length ? (1ULL << (64 - length)) - 1 : ~0ULL",
     "length ? (1ULL << (63 - length)) - 1 : ~0ULL"),
    ("prefix.c", "length ? (1ULL << (64 - length)) - 1 : ~0ULL",
     "length ? (1ULL << (64 - length)) - 1 : ~1ULL"),
    ("prefix.c", "last.low = ~0ULL;", ""),
    ("prefix.c", "} else if (length < 128) {", "} else if (length < 127) {"),
    ("prefix.c", "length > 64 ? (1ULL << (128 - length)) - 1 : ~0ULL",
     "length > 64 ? (1ULL << (127 - length)) - 1 : ~0ULL"),
    ("prefix.c", "length > 64 ? (1ULL << (128 - length)) - 1 : ~0ULL",
     "length > 64 ? (1ULL << (128 - length)) - 1 : ~1ULL"),
    ("prefix.c", "if (before && mw_ipv6_le(first.high, first.low, before->high, before->low))",
     "if (0)"),
    ("prefix.c", "first.high - (first.low ? 0 : 1) == before->high", "true"),
    ("prefix.c", "set->ipv4_first[0] = 1;", ""),
    ("prefix.c", "set->ipv6_first[0].low = 1;", ""),
    ("prefix.c", "set->ipv4_count++;", ""),
    ("prefix.c", "set->ipv6_count++;", ""),
    ("prefix.c", "if (list[i].family == AF_INET)\n\t\t\tmw_set_add",
     "if (list[i].family != AF_INET)\n\t\t\tmw_set_add"),
    ("prefix.c", "order ? order : a->length - b->length", "order ? order : b->length - a->length"),
])

meant("unit: test_adm_edit", [
    ("prefix.c", "a->family == AF_INET ? -1 : 1", "a->family == AF_INET ? 1 : -1"),
    ("prefix.c", "order ? order : a->length - b->length", "order"),
])

meant("unit: test_prefix_set", [
    ("prefix.c", "mw_prefix_compare(&list[i], prefix) < 0",
     "mw_prefix_compare(&list[i], prefix) <= 0"),
    ("prefix.c", "if (*count >= MAILWALL_ADM_MAX)", "if (*count > MAILWALL_ADM_MAX - 2)"),
])

# reading and checking
meant("unit: test_prefix_refused", [
    ("prefix.c", "(length > 1 && s[0] == '0')", "0"),
    ("prefix.c", "return part == 4 ? 0 : -EINVAL;", "return 0;"),
    ("prefix.c", "|| i - start > 4 ||", "|| i - start > 5 ||"),
    ("prefix.c", "if (gap >= 0)\n\t\t\t\treturn -EINVAL;", ""),
    ("prefix.c", "if (filled > 14)\n\t\treturn -EINVAL;", ""),
    ("prefix.c", "prefix->length >= 96 && mw_is_mapped", "prefix->length > 96 && mw_is_mapped"),
    ("prefix.c", "prefix->length >= 96 && mw_is_mapped", "0 && mw_is_mapped"),
])

meant("unit: test_prefix_accepted", [
    ("prefix.c", "if (value > max)", "if (value >= max)"),
    ("prefix.c", "if (filled > 12 ||", "if (filled > 10 ||"),
    ("prefix.c", "if (run > best_length) {", "if (run >= best_length) {"),
])

meant("exhaustive: ADM at the edges of random prefixes", [
    ("prefix.c", "0xff << (8 - bits)", "0xff << (7 - bits)"),
])

meant("unit: test_normalise", [
    ("edit.c", "if (!row->port)", "if (0)"),
    ("edit.c", "if ((row->source == MAILWALL_GTW) == (row->target == MAILWALL_GTW))", "if (0)"),
    ("edit.c", "if (mw_row_clash(row, &mw_table[i].row))", "if (0)"),
    ("edit.c", "if (mw_row_clash(&site[i], row))", "if (0)"),
    ("edit.c", "if (spec->confirm > MAILWALL_CONFIRM_MAX)", "if (0)"),
])

meant("unit: test_site_edit", [
    ("edit.c", "if (mw_row_clash(row, &mw_table[i].row))",
     "if (row->port == mw_table[i].row.port)"),
    ("edit.c", "if (*count >= MAILWALL_SITE_MAX)", "if (*count >= MAILWALL_SITE_MAX - 1)"),
])

# the packet path
meant("packet: plain segments: enforce", [
    ("hook.c", "direction == MAILWALL_IN ? NF_DROP :", "direction == MAILWALL_IN ? NF_ACCEPT :"),
    ("hook.c", "NF_DROP_ERR(-ECONNREFUSED)", "NF_DROP"),
    ("hook.c", "mw_count(mn->counted.here->denied[direction][reason], 1);\n\treturn mw_drop",
     "return mw_drop"),
    ("hook.c", "mw_count(MW_ROW(row, direction)->segments, 1);", ""),
    ("hook.c", "mw_count(MW_ROW(row, direction)->bytes, skb->len);", "mw_count(MW_ROW(row, direction)->bytes, skb->len - 20);"),
    ("hook.c", "if (unlikely(flags & MW_SYN) && mw_flags_opening(flags))", "if (0)"),
    ("hook.c", "if (!verdict.row)\n", "if (0)\n"),
    ("hook.c", "in ? &ipv6_hdr(skb)->saddr : &ipv6_hdr(skb)->daddr", "&ipv6_hdr(skb)->saddr"),
    ("hook.c", "in ? &ip_hdr(skb)->saddr : &ip_hdr(skb)->daddr", "&ip_hdr(skb)->daddr"),
    ("hook.c", ".local = in ? &th->dest : &th->source,", ".local = &th->dest,"),
    ("hook.c", ".remote = in ? &th->source : &th->dest,", ".remote = &th->source,"),
    ("socket.h", "return sk && (ipv6 ?", "return 0 && (ipv6 ?"),
    ("socket.h", "if (!sk)\n\t\treturn false;", "if (!sk)\n\t\treturn true;"),
    ("hook.c", "mw_socket_is_connected(state->net, skb, th, ipv6, true)", "false"),
    ("hook.c", "mw_socket_is_connected(state->net, skb, th, ipv6, true)",
     "mw_socket_is_connected(state->net, skb, th, ipv6, false)"),
    ("hook.c", "if (verdict.if_held)\n", "if (0)\n"),
    ("hook.c", "if (connection && verdict.if_connected) {", "if (0) {"),
    ("hook.c", "if (connection && verdict.if_connected)\n", "if (0)\n"),
    ("hook.c", "if (!mw_socket_is_demuxed(skb, th, ipv6))\n", "if (0)\n"),
    ("hook.c", "verdict.row | (verdict.if_connected ? MW_IF_CONNECTED : 0)", "verdict.row"),
    ("hook.c", ".reason = MAILWALL_CLOSED,", ".reason = MAILWALL_PEER,"),
    ("hook.c", "verdict.row &= MW_SLOT;", ""),
    ("socket.h", "if (unlikely(skb->sk)) {", "if (0) {"),
    ("socket.h", "skb->destructor = sock_edemux;", ""),
    ("socket.h", "sk->sk_dport != th->source ||", ""),
    ("socket.h", "sk->sk_dport == th->source &&", ""),
    ("socket.h", "(~(TCPF_CLOSE | TCPF_LISTEN))", "(~TCPF_CLOSE)"),
])
meant("packet: plain segments: enforce, logged", [
    ("hook.c", "if (unlikely(!policy->plain))\n\t\t\treturn", "if (0)\n\t\t\treturn"),
    ("hook.c", "if (unlikely(!policy->plain))\n\t\treturn", "if (0)\n\t\treturn"),
    ("policy.c", "spec->mode != MAILWALL_OFF && !traced && !g", "plain && !g"),
    ("general.c", "if (policy->spec.log != MAILWALL_LOG_OFF)", "if (0)"),
])
meant("packet: plain segments: audit", [
    ("policy.c", "spec->mode == MAILWALL_ENFORCE && spec->log", "spec->mode != MAILWALL_OFF && spec->log"),
    ("general.c", "if (policy->spec.mode != MAILWALL_ENFORCE)", "if (0)"),
    ("general.c", "mw_count(stats->would_deny[direction][reason], 1);", ""),
])
meant("packet: plain segments: off, while the hooks are there", [
    ("hook.c", "if (unlikely(!policy->alone))", "if (0)"),
    ("general.c", "if (p.policy->spec.mode == MAILWALL_OFF)", "if (0)"),
])
meant("packet: hooks, families and priorities", [
    ("hook.c", ".priority = NF_IP_PRI_FILTER + 1,", ".priority = NF_IP_PRI_FILTER,"),
])
meant("packet: loopback is not judged", [
    ("hook.c", "if (mw_is_loopback(skb, state, direction))", "if (0)"),
])
meant("packet: what is redirected to loopback is not judged", [
    ("hook.c", "state->in : skb_dst(skb)->dev;", "state->in : state->out;"),
])
meant("packet: by a VRF device, denied at the second pass only", [
    ("general.h", "return unlikely(netif_is_l3_master(state->out)) &&", "return 0 &&"),
])
meant("packet: by a VRF device that the route leads to, denied there", [
    ("general.h", " && skb_dst(skb)->dev != state->out", ""),
])
meant("packet: routed to another namespace: not ours to deny", [
    ("general.h", "unlikely(!net_eq(dev_net(skb_dst(skb)->dev), state->net))", "false"),
])
meant("packet: IPv4: every data offset in every length", [
    ("segment.h", "skb_headlen(skb) - offset", "skb->len - offset"),
    ("segment.h", "return mw_data_offset_valid(mw_data_offset_byte(th), skb_headlen",
     "return !(mw_data_offset_byte(th) & 1) && "
     "mw_data_offset_valid(mw_data_offset_byte(th), skb_headlen"),
    ("segment.c", "mw_data_offset_byte(r->th), end - offset)",
     "mw_data_offset_byte(r->th), skb_headlen(skb) - offset)"),
])
meant("packet: IPv4 with DF", [
    ("hook.c", "if (unlikely(flags & MW_SYN) && mw_flags_opening(flags))", "if (flags & MW_SYN)"),
])
meant("packet: IPv4 options, linear and not", [
    ("segment.c", "start + header, start + r->length, r", "start + 20, start + r->length, r"),
])
meant("packet: IPv4 source routes without hops left, or inside another option", [
    ("segment.c", "options[at + 2] < length", "options[at + 2] <= length + 1"),
    ("segment.c", "options[at] != IPOPT_END", "1"),
    ("segment.c", "at += length;", "at++;"),
])
meant("packet: IPv4 source routes with hops left: outbound, no ADM holds the peer", [
    ("segment.c", "options[at] == IPOPT_LSRR || ", ""),
    ("segment.c", " || options[at] == IPOPT_SSRR", ""),
    ("general.c", ".routed = p->r.routed && !in,", ".routed = p->r.routed,"),
    ("general.c", ".routed = p->r.routed && !in,", ""),
    ("policy.h", "if (seg->routed)\n", "if (0)\n"),
])
meant("packet: IPv4 options that make no sense count as such a route", [
    ("segment.c", "if (length < 2 || length > size - at)", "if (length < 2)"),
])
meant("packet: IPv4 first fragments, whole and cut short", [
    ("segment.h", "!(iph->frag_off & htons(IP_MF | IP_OFFSET))", "1"),
    ("segment.c", "r->whole = !(iph->frag_off & htons(IP_MF));", "r->whole = true;"),
])
meant("packet: IPv4 fragments with an offset", [
    ("segment.c", "if (frag_offset)\n\t\treturn mw_overwrites(place, frag_offset)",
     "if (0)\n\t\treturn mw_overwrites(place, frag_offset)"),
])
meant("packet: IPv4 header lengths below 5", [
    ("segment.h", "*(const u8 *)iph == 0x45", "*(const u8 *)iph >> 4 == 4"),
])
meant("packet: IPv6 extension headers", [
    ("segment.h", "!ipv6_ext_hdr(ipv6_hdr(skb)->nexthdr)", "1"),
    ("hook.c", "if (ipv6_hdr(skb)->nexthdr == IPPROTO_UDP)", "if (1)"),
])
meant("packet: IPv6 first and atomic fragments, whole and cut short", [
    ("segment.c", "r->whole = !(flags & IP6_FH_F_FRAG);", "r->whole = true;"),
])
meant("packet: IPv6 fragments with an offset", [
    ("segment.c", "if (found == -ENOENT)", "if (0)"),
])
meant("packet: IPv6 chains that cannot be walked", [
    ("segment.c", "if (found < 0)\n\t\treturn MW_READ_MALFORMED;",
     "if (found < 0)\n\t\treturn MW_READ_PASS;"),
])
meant("packet: IPv6 routing headers without segments left", [
    ("segment.c", "left = IP6_FH_F_SKIP_RH, found;", "left = 0, found;"),
])
meant("packet: what is not TCP passes", [
    ("segment.h", "return ip_hdr(skb)->protocol != IPPROTO_TCP;", "return false;"),
])

# gateways behind: who is GTW
meant("exhaustive: which GTW, which way, over random lists", [
    ("gateway.c", "if (length <= at * 8)", "if (length < at * 8 + 8)"),
    ("gateway.c", "length >= at * 8 + 8 ? 0xff", "length > at * 8 ? 0xff"),
    ("gateway.c", "0xff << (at * 8 + 8 - length)", "0xff << (at * 8 + 7 - length)"),
    ("gateway.c", "if ((value & mask) == address)", "if (value == address)"),
    ("gateway.c", "g->this = slot[i];", ""),
    ("gateway.c", "g->port_slot[g->ports] = slot[i];", ""),
    ("gateway.c", "g->port_item[g->ports++] = i;\n\t\t\tg->port_slot[g->ports]",
     "g->port_item[g->ports] = i;\n\t\t\tg->port_slot[g->ports++]"),
    ("gateway.c", "length <= 128; length++", "length < 128; length++"),
    ("gateway.c", "if (prefix->family == AF_INET)", "if (prefix->family != AF_INET)"),
    ("gateway.c", "g->slot[n] = slot[i];", "g->slot[n] = slot[0];"),
    ("gateway.c", "ipv6 |= 1U << n;", ""),
    ("gateway.c", "mw_choose_bytes(g, ipv6);", ""),
    ("gateway.c", "WRITE_ONCE(g->port_ifindex[1 + port], ifindex);", ""),
    ("gateway.c", "WRITE_ONCE(g->port_hint[i], hint[i]);", ";"),
    ("gateway.c", "if (port && mw_gateway_of_port(g, port))\n\t\treturn MW_NOBODY;", ""),
    ("gateway.c", "if (path->place != MW_PLACE_BRIDGED) {", "if (1) {"),
    ("gateway.c", "if (path->place != MW_PLACE_BRIDGED) {", "if (path->place == MW_PLACE_ROUTED) {"),
    ("gateway.c", "path->ipv6 ? mw_gateway_of_ipv6", "!path->ipv6 ? mw_gateway_of_ipv6"),
    ("gateway.c", "return device && !port ?", "return device ?"),
    ("gateway.c", "return device && !port ?", "return 0 ?"),
    ("gateway.c", "path->place == MW_PLACE_HOST && (!g || g->this)", "path->place == MW_PLACE_HOST"),
    ("gateway.c", "path->place == MW_PLACE_HOST && (!g || g->this)", "(!g || g->this)"),
    ("gateway.c", "path->place == MW_PLACE_HOST && (!g || g->this)",
     "path->place == MW_PLACE_HOST && g && g->this"),
    ("gateway.c", ".from_this = this && path->from_host,", ".from_this = this,"),
    ("gateway.c", ".to_this = this && path->to_host,", ""),
    ("gateway.c", "if (!path->from_host)\n", ""),
    ("gateway.c", "if (!path->to_host)\n", ""),
    ("gateway.c", "path->source, path->in, path->bridge_in", "path->source, path->out, path->bridge_in"),
    ("gateway.c", "path->target, path->out, path->bridge_out", "path->source, path->out, path->bridge_out"),
    ("gateway.c", "path->target, path->out, path->bridge_out", "path->target, path->out, path->bridge_in"),
    ("gateway.h", "return __builtin_clz(holding) ^ 31;", "return __builtin_ctz(holding);"),
    ("gateway.h", "last ^ prefix->word[1]) & prefix->mask[1]", "last ^ prefix->word[1]) & 0"),
    ("gateway.h", "near &= ~(1U << i);", "near = 0;"),
    ("gateway.h", "g->ipv4[3][byte[3]]", "g->ipv4[3][byte[2]]"),
    ("gateway.h", "port && READ_ONCE(g->port_ifindex[port]) != ifindex; port--", "port > 1; port--"),
    ("gateway.h", "if (hint && unlikely(g->port_ifindex[hint] != ifindex))", "if (0)"),
])
meant("unit: test_vectors_behind", [
    ("gateway.c", "if (!path->from_host)\n\t\tends.from", "if (0)\n\t\tends.from"),
    ("gateway.c", "if (!path->to_host)\n\t\tends.to", "if (0)\n\t\tends.to"),
])
meant("exhaustive: 32 site rows, all flags", [
    ("policy.h", "verdict.asked_back = seg->behind && !in && there && !here;", ""),
    ("policy.h", "seg->behind && !in && there && !here", "!in && there && !here"),
    ("policy.h", "seg->behind && !in && there && !here", "seg->behind && there && !here"),
    ("policy.h", "seg->behind && !in && there && !here", "seg->behind && !in && there"),
    ("policy.h", "(verdict.asked_back ? MW_ASKED_BACK : 0)", "0"),
])
meant("packet: no hook is registered that no item needs", [
    ("hook.c", "if (g)\n\t\tsets |= MW_HOOK_FORWARD;", "sets |= MW_HOOK_FORWARD;"),
    ("hook.c", "if (g && g->ports &&", "if (g &&"),
    ("hook.c", "if (policy->spec.mode == MAILWALL_OFF)\n\t\treturn 0;", ""),
])
meant("packet: hooks come and go in sets", [
    ("hook.c", "if (!(sets & ~mn->hooked & BIT(i)))", "if (!(sets & BIT(i)) || mn->hooked & BIT(0))"),
    ("hook.c", "mw_hook_unregister(mn, ~before);", ""),
    ("hook.c", "mn->hooked &= ~sets;", "mn->hooked = 0;"),
])
meant("packet: hooks, families and priorities", [
    ("hook.c", ".priority = NF_BR_PRI_FILTER_BRIDGED, ", ".priority = 0, "),
    ("hook.c", "MW_BRIDGE_OPS(mw_bridge_host, NF_BR_LOCAL_OUT)", "MW_BRIDGE_OPS(mw_bridge_host, NF_BR_FORWARD)"),
])

# gateways behind: flows
meant("flow: both ways have one key, and every bit is part of it", [
    ("flow.h", "pair = pair << 16 | pair >> 16;", ""),
    ("flow.h", "pair = pair << 32 | pair >> 32;", ""),
    ("flow.h", "(u64)ifindex << 32 | pair", "pair"),
    ("flow.h", "(from_gateway ? 0 : 16)", "0"),
    ("flow.h", "mw_flow_word(peer + 8)", "mw_flow_word(peer)"),
    ("flow.h", "mw_flow_add(&sum, &table->factor[MW_FLOW_IPV6 + 2], mw_flow_word(peer));", ""),
])
meant("flow: each table has keys of its own", [
    ("flow.c", "get_random_bytes(table->factor, sizeof(table->factor));\n\treturn", "return"),
])
meant("flow: flows that differ agree as rarely as chance has it", [
    ("flow.h", "(hash ^ hash >> 32) * table->odd", "(hash ^ hash >> 32) * 4096"),
    ("flow.h", "return sum >> 64;", "return sum;"),
])
meant("flow: an entry is fresh for its own tag alone, 7,440 seconds long", [
    ("flow.h", "<= MW_FLOW_WINDOW + MW_FLOW_SKEW;\n}", "<= 2 * (MW_FLOW_WINDOW + MW_FLOW_SKEW);\n}"),
    ("flow.h", "<= MW_FLOW_WINDOW + MW_FLOW_SKEW;\n}", "< MW_FLOW_WINDOW + MW_FLOW_SKEW;\n}"),
    ("flow.h", "#define MW_FLOW_WINDOW 7440", "#define MW_FLOW_WINDOW 7200"),
    ("flow.h", "#define MW_FLOW_ORIGIN (MW_FLOW_WINDOW + 1)", "#define MW_FLOW_ORIGIN 0"),
])
meant("flow: flows are rounded up to a power of two", [
    ("flow.c", "roundup_pow_of_two(flows) / MW_FLOWS_PER_BUCKET", "roundup_pow_of_two(flows / 2)"),
    ("flow.c", "table->mask = buckets - 1;", "table->mask = flows / MW_FLOWS_PER_BUCKET - 1;"),
])
meant("flow: a table for as many flows loses less than one in a thousand", [
    ("flow.h", "#define MW_FLOWS_PER_BUCKET 2", "#define MW_FLOWS_PER_BUCKET 4"),
    ("flow.h", "#define MW_FLOW_WAYS 7", "#define MW_FLOW_WAYS 5"),
])
meant("flow: crowded: the one idle longest makes room", [
    ("flow.c", "} else if (idle >= longest) {", "} else if (idle <= longest) {"),
    ("flow.c", "} else if (idle >= longest) {", "} else {"),
    ("flow.c", "longest = idle;", ""),
    ("flow.c", "idle > MW_FLOW_WINDOW + MW_FLOW_SKEW || noted + MW_FLOW_WINDOW < now", "0"),
    ("flow.c", "if (free >= 0)\n\t\tvictim = free;", ""),
    ("flow.c", "if (!flow[i]) {", "if (0) {"),
    ("flow.c", "own = i;", ""),
    ("flow.c", "if (flow[own] < entry &&", "if ("),
    ("flow.c", "return free >= 0 ? MW_FLOW_NOTED : MW_FLOW_EVICTED;", "return MW_FLOW_NOTED;"),
    ("flow.c", "return MW_FLOW_REFRESHED;", "return MW_FLOW_NOTED;"),
    ("flow.h", "(64 - MW_FLOW_TAG_BITS) >> 1;", "(64 - MW_FLOW_TAG_BITS) >> 8;"),
])
meant("flow: crowded within a second: who was noted last stays longest", [
    ("flow.c", "i = i ? i - 1 : MW_FLOW_WAYS - 1;", "i = MW_FLOW_WAYS - 1 - n;"),
    ("flow.c", "next = (victim + 1) % MW_FLOW_WAYS;", ""),
])
READ_FLOWS = """\tfor (i = 0; i < MW_FLOW_WAYS; i++)
\t\tflow[i] = atomic64_read_acquire(&bucket->flow[i]);
"""
READ_LAST = "\tlast = atomic64_read_acquire(&bucket->last);\n"
meant("flow: whoever is interrupted where, nothing is lost while there is room", [
    ("flow.c", "if ((u64)atomic64_read(&bucket->flow[i]) != flow[i])", "if (0)"),
    ("flow.c", READ_FLOWS + READ_LAST, READ_LAST + READ_FLOWS),
])

meant("unit: test_short_ways", [
    ("policy.c", " && !traced;", ";"),
    ("policy.c", "WRITE_ONCE(g->only_ports, plain && !g->prefixes);", ""),
])

# gateways behind: FORWARD and the bridge
meant("behind: routed, in a VRF", [
    ("general.c", "if (index)\n\t\tdevice", "if (0)\n\t\tdevice"),
    ("general.c", "p->r.source, in))", "p->r.source, p->in))"),
    ("general.c", "mw_flow_key_of(p, in, true)", "mw_flow_key_of(p, p->in, true)"),
])
meant("behind: routed, plain", [
    ("forward.c", "if (unlikely(verdict.if_held))\n", "if (0)\n"),
    ("forward.c", "mw_key_of(mn, skb, way, state->out, false)", "mw_key_of(mn, skb, way, state->in, false)"),
    ("forward.c", "if (!fresh)\n\t\tmw_count(mn->counted.behind->flows_missed, 1);", ""),
    ("forward.c", "mw_policy_settle_connection(verdict, fresh)", "mw_policy_settle_connection(verdict, true)"),
    ("forward.c", "if (!mw_flow_is_noted(mn->flows, key, mw_now()))", "if (0)"),
    ("forward.c", "if (verdict.asked_back)", "if (0)"),
    ("forward.c", "if (!in && !verdict.row)", "if (0)"),
    ("forward.c", "mw_count(mn->counted.seen->segments[direction][gateway], 1);", ""),
    ("forward.c", "mw_count(mn->counted.behind->denied[MAILWALL_IN][reason], 1);", ""),
    ("forward.c", "return NF_DROP;", "return NF_ACCEPT;"),
    ("forward.c", "mw_count(MW_ROW(stats, direction)->segments, 1);", ""),
    ("forward.c", "mw_count(MW_ROW(stats, direction)->openings, 1);", ""),
    ("forward.c", "from = from ?: mw_gateway_of_port(g, state->in->ifindex);",
     "from = from ?: mw_gateway_of_port(g, state->out->ifindex);"),
    ("forward.c", "to = to ?: mw_gateway_of_port(g, state->out->ifindex);", ""),
    ("forward.c", "if (unlikely(to_other || !mw_is_plain(skb, policy, way)))",
     "if (unlikely(!mw_is_plain(skb, policy, way)))"),
    ("policy.h", "return verdict & MW_ASKED_BACK && !(flags & MW_RST);", "return verdict & MW_ASKED_BACK;"),
    ("policy.h", "return verdict & MW_ASKED_BACK && !(flags & MW_RST);", "return false;"),
    ("route.h", "return bridged || mw_route_leads(net, ipv6, source, in);", "return true;"),
    ("general.c", "mw_count(p->mn->counted.behind->flows_noted, 1);", ""),
    ("general.c", "mw_count(p->mn->counted.behind->flows_missed, 1);", ""),
    ("general.c", "if (behind)\n\t\tmw_count", "if (0)\n\t\tmw_count"),
    ("general.c", "behind && direction == MAILWALL_OUT && reason", "0 && reason"),
    ("general.c", "mw_flags_opening(tcp_flag_byte(p->r.th)))\n\t\tmw_unreachable(p);", "1)\n\t\tmw_unreachable(p);"),
    ("general.c", "if (fate == NF_ACCEPT && (ends.to || ends.to_this))", "if (ends.to || ends.to_this)"),
    ("general.c", "if (fate == NF_ACCEPT && (ends.to || ends.to_this))", "if (0)"),
    ("general.c", "ICMP_PKT_FILTERED", "ICMP_PKT_FILTERED + 1"),
    ("general.c", "behind ? p->mn->counted.behind : p->mn->counted.here;\n\tstruct mw_row_stats",
     "p->mn->counted.here;\n\tstruct mw_row_stats"),
])
meant("behind: shown by br_netfilter", [
    ("forward.c", "return unlikely(nf_bridge_info_exists(skb));", "return false;"),
    ("general.c", "path.bridge_in = nf_bridge_get_physinif(p->skb);", ""),
    ("general.c", "path.bridge_out = nf_bridge_get_physoutif(p->skb);", ""),
    ("general.c", "p->bridged = true;", ""),
    ("general.c", "if (p->place != MW_PLACE_ROUTED || p->bridged)", "if (p->place != MW_PLACE_ROUTED)"),
])
meant("behind: bridged, plain", [
    ("forward.c", "skb->network_header = header;", ""),
    ("general.c", "if (p->place != MW_PLACE_ROUTED || p->bridged)", "if (p->bridged)"),
    ("general.c", "p->place == MW_PLACE_BRIDGED || p->bridged, p->ipv6,", "p->bridged, p->ipv6,"),
])
meant("behind: between this host and gateways behind", [
    ("general.c", "if (p->place == MW_PLACE_HOST && p->state->hook == NF_INET_LOCAL_OUT)\n\t\treturn", "if (0)\n\t\treturn"),
    ("general.c", "if (place == MW_PLACE_HOST && state->hook == NF_INET_LOCAL_OUT)\n", "if (0)\n"),
])
meant("behind: IPv4 fragments", [
    ("segment.c", "place != MW_PLACE_HOST && frag_offset < MW_FIRST_FRAGMENT", "frag_offset < MW_FIRST_FRAGMENT"),
    ("segment.c", "place != MW_PLACE_HOST && frag_offset < MW_FIRST_FRAGMENT", "0"),
    ("segment.c", "frag_offset < MW_FIRST_FRAGMENT", "frag_offset <= MW_FIRST_FRAGMENT"),
    ("segment.c", "& IP_OFFSET) * MW_FRAGMENT_UNIT", "& IP_OFFSET)"),
])
meant("behind: IPv6 fragments", [
    ("segment.c", "if (place != MW_PLACE_HOST) {", "if (place == MW_PLACE_BRIDGED) {"),
    ("segment.c", "if (place != MW_PLACE_HOST) {", "if (1) {"),
    ("segment.c", "mw_overwrites(MW_PLACE_ROUTED, frag_offset) ?", "0 ?"),
    ("segment.c", "fragment && fragment->frag_off & htons(IP6_MF)", "fragment"),
    ("segment.c", "*begin = offset + sizeof(buffer);", "*begin = offset;"),
    ("segment.c", "> begin + MW_FIRST_FRAGMENT)", ">= begin + MW_FIRST_FRAGMENT)"),
    ("segment.c", "offset + mw_data_offset_bytes(mw_data_offset_byte(r->th)) >", "offset + 20 >"),
])
meant("behind: IP headers that the IP layer would drop", [
    ("segment.c", "if (iph->version != 4 || header < sizeof(*iph))", "if (header < sizeof(*iph))"),
    ("segment.c", "!whole || ip_fast_csum(whole, iph->ihl)", "!whole"),
    ("segment.c", "length >= header && length <= room", "length >= header"),
    ("segment.c", "length >= header && length <= room", "length <= room"),
    ("segment.c", "ip6h->version != 6 || length > room", "length > room"),
    ("segment.c", "ip6h->version != 6 || length > room", "ip6h->version != 6"),
])
meant("behind: padding", [
    ("segment.c", "r->length = ntohs(iph->tot_len) ?: room;", ""),
    ("segment.c", "r->length = length;", "r->length = room;"),
    ("segment.c", "(!skb_is_gso(skb) && ip6h->nexthdr != NEXTHDR_HOP)", "0"),
])
meant("behind: GSO and BIG TCP", [
    ("segment.c", "(!length && skb_is_gso(skb)) ||", ""),
    ("segment.c", "(!length && skb_is_gso(skb)) ||", "!length ||"),
    ("segment.c", "if (ip6h->payload_len || (!skb_is_gso(skb) && ip6h->nexthdr != NEXTHDR_HOP))", "if (1)"),
])
meant("behind: VLAN tags, in the packet and beside it", [
    ("frame.c", "#define MW_TAGS_MAX 2", "#define MW_TAGS_MAX 1"),
    ("frame.c", "#define MW_TAGS_MAX 2", "#define MW_TAGS_MAX 3"),
    ("frame.c", "skb_vlan_tag_present(skb) ? 1 : 0", "0"),
    ("frame.c", "frame.offset += sizeof(*tag);", ""),
    ("frame.c", "protocol == htons(ETH_P_QINQ3)", "0"),
    ("frame.c", "frame.ipv6 = protocol == htons(ETH_P_IPV6);", ""),
    ("frame.c", "frame.ip = protocol == htons(ETH_P_IP) || protocol == htons(ETH_P_IPV6);", "frame.ip = true;"),
    ("forward.c", "malformed = frame.deep ||", "malformed ="),
])
meant("behind: VLAN tags without end", [
    ("frame.c", "if (!tag || ++tags > MW_TAGS_WALKED)", "if (!tag || (++tags, 0))"),
])
meant("behind: PPPoE sessions", [
    ("frame.c", "if (protocol == htons(ETH_P_PPP_SES))", "if (0)"),
    ("frame.c", "if (!(number & 1)) {", "if (1) {"),
    ("frame.c", "*offset += size;", "*offset += 2;"),
    ("frame.c", "return number == PPP_IPV6 ? htons(ETH_P_IPV6) : 0;", "return 0;"),
])
meant("behind: truncated frames", [
    ("segment.c", "if (!iph || iph->protocol != IPPROTO_TCP)",
     "if (!iph)\n\t\treturn MW_READ_MALFORMED;\n\tif (iph->protocol != IPPROTO_TCP)"),
])
meant("behind: headers outside the linear data", [
    ("forward.c", "!pskb_may_pull(skb, frame.offset + sizeof(struct ipv6hdr))",
     "skb->len < frame.offset + sizeof(struct ipv6hdr)"),
])
meant("unit: test_gtw_edit", [
    ("edit.c", "if (length - port > MW_DEVICE_NAME)", "if (length - port > MW_DEVICE_NAME + 1)"),
    ("edit.c", "prefix->length >= 4 && address[0] >> 4 == 14", "address[0] >> 4 == 14"),
    ("edit.c", "prefix->length >= 8 && address[0] == 127", "prefix->length > 8 && address[0] == 127"),
    ("edit.c", "prefix->length == 32 && !mw_load_be32(address)", "!mw_load_be32(address)"),
    ("edit.c", "prefix->length >= 8 && address[0] == 0xff", "prefix->length > 8 && address[0] == 0xff"),
    ("edit.c", "prefix->length == 128 && !memcmp(address, one, 16)", "!memcmp(address, one, 15)"),
    ("edit.c", "prefix->length >= 127 && !memcmp(address, one, 15) && !address[15]", "0"),
    ("edit.c", "strchr(\"/:,\", name[i])", "strchr(\"/,\", name[i])"),
    ("edit.c", "(length == 1 && name[0] == '.')", "0"),
    ("edit.c", "if (at == MAILWALL_GTW_MAX)", "if (spec->gtw_count == MAILWALL_GTW_MAX)"),
    ("edit.c", ".never_empty = true,", ""),
    ("edit.c", "if (mw_gtw_at(list, *count, gtw) == *count)", "if (1)"),
])
meant("unit: test_normalise", [
    ("edit.c", "if (memcmp(gtw, &same, sizeof(same)))", "if (0)"),
    ("edit.c", "mw_prefix_nobodys(&gtw->prefix))\n\t\t\treturn mw_complain", "0)\n\t\t\treturn mw_complain"),
    ("edit.c", "name > MW_DEVICE_NAME || !mw_device_valid", "!mw_device_valid"),
])
