"""The ways in which mutate.py breaks the code, and the point that is meant to notice each."""
import os

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
# The tests are correct C; a mutant may be anything that compiles.
CC = ["gcc", "-std=gnu11", "-O1", "-w", "-pthread"]
PURE = ["kmod/table.c", "kmod/policy.c", "kmod/edit.c", "kmod/prefix.c"]
FLAGS_OF_PACKET = ["-D_GNU_SOURCE", "-fno-strict-aliasing", "-I", os.path.join(TOP, "tests/unit/kernel")]
# What a test is made of, and the arguments that it runs with: as small as notices everything.
TESTS = {
    "exhaustive": {
        "sources": ["tests/unit/exhaustive.c", "tests/unit/naive.c", *PURE],
        "arguments": ["quick", "1"],
    },
    "unit": {
        "sources": ["tests/unit/unit.c", "tests/unit/vectors.c", *PURE],
        "libraries": ["-lcmocka"],
        "arguments": [os.path.join(TOP, "tests", "vectors", "decision.tsv")],
    },
    "packet": {
        "sources": ["tests/unit/packet.c", "tests/unit/naive.c", "kmod/hook.c",
                    "kmod/segment.c", "kmod/table.c", "kmod/policy.c", "kmod/prefix.c"],
        "flags": FLAGS_OF_PACKET,
        "arguments": ["few"],
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
    ("policy.h", "verdict.row & MW_SLOT :", "verdict.row :"),
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
    ("hook.c", "mw_count(mn->stats->denied[direction][reason], 1);\n\treturn mw_drop",
     "return mw_drop"),
    ("hook.c", "mw_count(row->segments, 1);", ""),
    ("hook.c", "mw_count(row->bytes, skb->len);", "mw_count(row->bytes, skb->len - 20);"),
    ("hook.c", "if (unlikely(flags & MW_SYN) && mw_flags_opening(flags))", "if (0)"),
    ("hook.c", "if (!verdict.row)\n", "if (0)\n"),
    ("hook.c", "in ? &ipv6_hdr(skb)->saddr : &ipv6_hdr(skb)->daddr", "&ipv6_hdr(skb)->saddr"),
    ("hook.c", "in ? &ip_hdr(skb)->saddr : &ip_hdr(skb)->daddr", "&ip_hdr(skb)->daddr"),
    ("hook.c", ".local = in ? &th->dest : &th->source,", ".local = &th->dest,"),
    ("hook.c", ".remote = in ? &th->source : &th->dest,", ".remote = &th->source,"),
    ("hook.c", "return sk && (ipv6 ?", "return 0 && (ipv6 ?"),
    ("hook.c", "if (!sk)\n\t\treturn false;", "if (!sk)\n\t\treturn true;"),
    ("hook.c", "mw_is_found(skb, th, state->net, ipv6, true)", "false"),
    ("hook.c", "mw_is_found(skb, th, state->net, ipv6, true)",
     "mw_is_found(skb, th, state->net, ipv6, false)"),
    ("hook.c", "if (verdict.if_held)\n", "if (0)\n"),
    ("hook.c", "if (connection && verdict.if_connected) {", "if (0) {"),
    ("hook.c", "if (connection && verdict.if_connected)\n", "if (0)\n"),
    ("hook.c", "if (!mw_is_demuxed(skb, th, ipv6))\n", "if (0)\n"),
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
    ("hook.c", "if (unlikely(!policy->plain))", "if (0)"),
    ("hook.c", "if (policy->spec.log != MAILWALL_LOG_OFF)", "if (0)"),
])
meant("packet: plain segments: audit", [
    ("hook.c", "if (policy->spec.mode == MAILWALL_ENFORCE)", "if (1)"),
    ("hook.c", "mw_count(mn->stats->would_deny[direction][verdict & ~MW_DENY], 1);", ""),
])
meant("packet: plain segments: off, while the hooks are there", [
    ("hook.c", "if (policy->spec.mode == MAILWALL_OFF)", "if (0)"),
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
    ("hook.c", "return unlikely(netif_is_l3_master(state->out)) &&", "return 0 &&"),
])
meant("packet: by a VRF device that the route leads to, denied there", [
    ("hook.c", " && skb_dst(skb)->dev != state->out", ""),
])
meant("packet: routed to another namespace: not ours to deny", [
    ("hook.c", "unlikely(!net_eq(dev_net(skb_dst(skb)->dev), state->net))", "false"),
])
meant("packet: IPv4: every data offset in every length", [
    ("segment.h", "skb_headlen(skb) - offset", "skb->len - offset"),
    ("segment.c", "skb->len - offset", "skb_headlen(skb) - offset"),
])
meant("packet: IPv4 options, linear and not", [
    ("hook.c", "if (unlikely(flags & MW_SYN) && mw_flags_opening(flags))", "if (flags & MW_SYN)"),
    ("segment.c", "skb_network_offset(skb) + header, r", "skb_network_offset(skb) + 20, r"),
])
meant("packet: IPv4 source routes without hops left, or inside another option", [
    ("segment.c", "options[at + 2] < length", "options[at + 2] <= length + 1"),
    ("segment.c", "options[at] != IPOPT_END", "1"),
    ("segment.c", "at += length;", "at++;"),
])
meant("packet: IPv4 source routes with hops left: outbound, no ADM holds the peer", [
    ("segment.c", "options[at] == IPOPT_LSRR || ", ""),
    ("segment.c", " || options[at] == IPOPT_SSRR", ""),
    ("hook.c", "seg.routed = r.routed && !in;", "seg.routed = r.routed;"),
    ("hook.c", "seg.routed = r.routed && !in;", ""),
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
    ("segment.c", "if (iph->frag_off & htons(IP_OFFSET))", "if (0)"),
])
meant("packet: IPv4 header lengths below 5", [
    ("segment.h", "*(const u8 *)iph == 0x45", "*(const u8 *)iph >> 4 == 4"),
])
meant("packet: IPv6 extension headers", [
    ("segment.h", "!ipv6_ext_hdr(ipv6_hdr(skb)->nexthdr)", "1"),
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
    ("segment.c", "left = IP6_FH_F_SKIP_RH;", "left = 0;"),
])
meant("packet: what is not TCP passes", [
    ("segment.h", "return ip_hdr(skb)->protocol != IPPROTO_TCP;", "return false;"),
])
