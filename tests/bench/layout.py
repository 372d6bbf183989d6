#!/usr/bin/python3
"""What the packet path writes: layout.py MAILWALL_KO

Follows every call and jump from the hooks through the module's machine code. Each
instruction that writes memory must write this processor's own (%gs) or the stack. Each function
outside the module that may be called is in a closed list. Prints what is not so; exits with 1.
"""
import re
import subprocess
import sys

HOOKS = ("mw_hook_ipv4_in", "mw_hook_ipv4_out", "mw_hook_ipv6_in", "mw_hook_ipv6_out",
         "mw_forward_ipv4", "mw_forward_ipv6", "mw_forward_bridge", "mw_bridge_host")
# What the kernel's own functions write: nothing shared, a reference to the connection that a
# look-up found (as the kernel's own look-up does), or, for a denial that is logged, the log, and
# for one that a gateway is told of, the answer. Routes are asked for a flow that was not noted in
# this second.
KERNEL = {
    "__fentry__", "__x86_return_thunk", "__stack_chk_fail",
    "skb_copy_bits", "__pskb_pull_tail", "ipv6_find_hdr", "ipv6_ext_hdr",
    "__inet_lookup_established", "__inet6_lookup_established", "sock_gen_put",
    "___ratelimit", "nf_log_packet", "__icmp_send", "icmp6_send",
    "fib_table_lookup", "__fib_lookup", "fib_info_nh_uses_dev", "ip6_route_lookup", "dst_release",
    "l3mdev_master_ifindex_rcu", "dev_get_by_index_rcu", "__ipv6_addr_type", "__rcu_read_lock", "__rcu_read_unlock",
}
# What may be written besides: a result by pointer, to a variable on its caller's stack; the
# socket that a look-up found, into the packet that is nobody else's (skb->sk, destructor), and
# where its IP header is; and a flow, once a second at most.
RESULTS = {"mw_read_tcp": 2, "mw_segment_read_ipv4": 6, "mw_segment_read_ipv6": 7,
           "mw_judge_for": 2, "mw_ask_connection_ipv4": 2, "mw_ask_connection_ipv6": 2,
           "mw_frame_general": 2, "mw_flow_note_slowly": 3}
# Not followed: what tells of each judgement, to a ring buffer, while somebody wants to know.
TRACED = "mw_trace"
# Instructions whose last operand is only read.
READERS = re.compile(r"^(cmp|test|mul[bwlq]?$|bt[bwlq]?$|nop|lea|prefetch|push|call|jmp|j[a-z]+|ud2|verw|lfence)")
FUNCTION = re.compile(r"^([0-9a-f]+) <([^>]+)>:$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\t(?:(?:lock|data16|rep|repz|repnz|notrack|bnd|ds|cs) )*(\S+)\s*(.*)$")
RELOCATION = re.compile(r"^\s*[0-9a-f]+: R_X86_64_(?:PLT32|PC32)\t(\S+?)([-+]0x[0-9a-f]+)?$")
SECTION = re.compile(r"^Disassembly of section (\S+):$")
TARGET = re.compile(r"<([^>+]+)(?:\+0x[0-9a-f]+)?>")


def functions(path):
    """{function: [(instruction, operands, relocation)]}"""
    text = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", path], check=True,
                          capture_output=True, text=True).stdout
    found, lines, section, places = {}, None, None, {}
    for line in text.splitlines():
        if match := SECTION.match(line):
            section = match[1]
        elif match := FUNCTION.match(line):
            lines = found.setdefault(match[2], [])
            places[section, int(match[1], 16)] = match[2]
        elif match := RELOCATION.match(line.strip(" ")):
            if lines:
                # what is counted from: the end of the instruction, four bytes on
                lines[-1][2] = (match[1], int(match[2] or "0", 16) + 4)
        elif (match := INSTRUCTION.match(line)) and lines is not None:
            lines.append([match[2], match[3].split("#")[0].strip(), None, line.strip()])
    # A place in another section is named by that section: find the function around it.
    for lines in found.values():
        for line in lines:
            if line[2]:
                name, place = line[2]
                before = [at for section, at in places if section == name and at <= place]
                line[2] = places[name, max(before)] if before else name
    return found


def last_operand(operands):
    """The destination, in AT&T order."""
    depth = 0
    for at in range(len(operands) - 1, -1, -1):
        if operands[at] == ")":
            depth += 1
        elif operands[at] == "(":
            depth -= 1
        elif operands[at] == "," and depth == 0:
            return operands[at + 1:]
    return operands


def writes_shared(name, operands):
    """Does the instruction write memory that is neither this processor's nor the stack?"""
    if name.startswith(("stos", "movs")) and "%es:" in operands:
        return False  # found by what comes before: only ever the stack here
    if READERS.match(name):
        return False
    where = last_operand(operands)
    if "(" not in where and not re.match(r"^(%[a-z]s:)?-?0x[0-9a-f]+$", where):
        return False
    return not (where.startswith("%gs:") or re.search(r"\(%r[sb]p", where))


def main(argv):
    """Walk."""
    if len(argv) != 1:
        sys.exit(__doc__)
    code = functions(argv[0])
    bad, seen, queue, written = [], set(), list(HOOKS), 0
    results = dict(RESULTS)
    while queue:
        name = queue.pop()
        if name in seen or name.split(".")[0] == TRACED:
            continue
        seen.add(name)
        if name not in code:
            bad.append(f"no such function: {name}")
            continue
        for instruction, operands, relocation, line in code[name]:
            if writes_shared(instruction, operands):
                whose = name.split(".")[0]
                results[whose] = results.get(whose, 0) - 1
                if results[whose] >= 0:
                    continue
                bad.append(f"{name}: {line}")
            if last_operand(operands).startswith("%gs:") and not READERS.match(instruction):
                written += 1
            if not instruction.startswith(("call", "j")):
                continue
            if relocation:
                if relocation in code:
                    queue.append(relocation)
                elif relocation not in KERNEL:
                    bad.append(f"{name}: calls {relocation}")
            elif target := TARGET.search(operands):
                queue.append(target[1])
            elif operands.startswith("*"):
                bad.append(f"{name}: {line}")
    print(f"{len(seen)} functions, {written} instructions that count per processor")
    print("\n".join(bad))
    sys.exit(1 if bad or not written else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
