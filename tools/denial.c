// SPDX-License-Identifier: GPL-2.0
/* A denied segment: from a message of nfnetlink_log to a line. */
#include "denial.h"
#include <arpa/inet.h>
#include <jansson.h>
#include <libmnl/libmnl.h>
#include <linux/if_ether.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <netinet/in.h>

/* What is left of a packet to read. */
struct rest {
	const u8 *at;
	size_t length;
};

static u16 be16_at(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static bool skip(struct rest *rest, size_t length)
{
	if (length > rest->length)
		return false;
	rest->at += length;
	rest->length -= length;
	return true;
}

/* In a bridge the packet begins with what stands before its IP header. Return: EtherType. */
static u16 skip_tags(struct rest *rest, u16 protocol)
{
	while ((protocol == ETH_P_8021Q || protocol == ETH_P_8021AD) && rest->length >= 4) {
		protocol = be16_at(rest->at + 2);
		skip(rest, 4);
	}
	if (protocol == ETH_P_PPP_SES && rest->length >= 8) {
		protocol = be16_at(rest->at + 6) == 0x0021 ? ETH_P_IP :
			   be16_at(rest->at + 6) == 0x0057 ? ETH_P_IPV6 :
							     0;
		skip(rest, 8);
	}
	return protocol;
}

/* Return: is it TCP's first fragment or whole, and does the header come next? */
static bool read_ipv4(struct rest *rest, struct denial *denial)
{
	const u8 *ip = rest->at;

	if (rest->length < 20 || ip[0] >> 4 != 4)
		return false;
	denial->family = AF_INET;
	memcpy(denial->address[0], ip + 12, 4);
	memcpy(denial->address[1], ip + 16, 4);
	return ip[9] == IPPROTO_TCP && !(be16_at(ip + 6) & 0x1fff) && (ip[0] & 15) >= 5 &&
	       skip(rest, (ip[0] & 15) * 4);
}

static bool read_ipv6(struct rest *rest, struct denial *denial)
{
	const u8 *ip = rest->at;
	u8 next;

	if (rest->length < 40 || ip[0] >> 4 != 6)
		return false;
	denial->family = AF_INET6;
	memcpy(denial->address[0], ip + 8, 16);
	memcpy(denial->address[1], ip + 24, 16);
	next = ip[6];
	skip(rest, 40);
	while (next != IPPROTO_TCP && rest->length >= 8) {
		const u8 *header = rest->at;
		size_t length;

		switch (next) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
			length = (header[1] + 1) * 8;
			break;
		case IPPROTO_AH:
			length = (header[1] + 2) * 4;
			break;
		case IPPROTO_FRAGMENT:
			if (be16_at(header + 2) & 0xfff8)
				return false;
			length = 8;
			break;
		default:
			return false;
		}
		next = header[0];
		if (!skip(rest, length))
			return false;
	}
	return next == IPPROTO_TCP;
}

static void read_packet(struct rest rest, u16 protocol, struct denial *denial)
{
	bool tcp;

	denial->length = rest.length;
	protocol = skip_tags(&rest, protocol);
	tcp = protocol == ETH_P_IPV6 ? read_ipv6(&rest, denial) : read_ipv4(&rest, denial);
	if (!tcp || rest.length < 14)
		return;
	denial->has_ports = true;
	denial->port[0] = be16_at(rest.at);
	denial->port[1] = be16_at(rest.at + 2);
	denial->flags = rest.at[13];
}

/* "mailwall: deny in closed ", as kmod/log.c has it */
static bool read_prefix(const char *prefix, struct denial *denial)
{
	char verb[16], way[8], reason[24];
	u8 i;

	if (sscanf(prefix, "mailwall: %15s %7s %23s", verb, way, reason) != 3)
		return false;
	denial->would = !strcmp(verb, "would-deny");
	denial->direction = strcmp(way, "in") ? MAILWALL_OUT : MAILWALL_IN;
	for (i = 0; i < MAILWALL_REASONS && strcmp(mw_reason_name(i), reason);)
		i++;
	denial->reason = i;
	return true;
}

static int keep_attribute(const struct nlattr *attribute, void *data)
{
	const struct nlattr **kept = data;

	/* a newer kernel may have more */
	if (mnl_attr_type_valid(attribute, NFULA_MAX) > 0)
		kept[mnl_attr_get_type(attribute)] = attribute;
	return MNL_CB_OK;
}

static const struct nlattr *of_size(const struct nlattr *attribute, size_t size)
{
	return attribute && mnl_attr_get_payload_len(attribute) >= size ? attribute : NULL;
}

int denial_read(const struct nlmsghdr *message, struct denial *denial)
{
	const struct nlattr *a[NFULA_MAX + 1] = { 0 };
	const struct nfulnl_msg_packet_hdr *packet;

	memset(denial, 0, sizeof(*denial));
	if (message->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET) ||
	    mnl_attr_parse(message, sizeof(struct nfgenmsg), keep_attribute, a) < 0)
		return -1;
	if (of_size(a[NFULA_SEQ], 4))
		denial->sequence = ntohl(mnl_attr_get_u32(a[NFULA_SEQ]));
	if (!a[NFULA_PREFIX] || mnl_attr_validate(a[NFULA_PREFIX], MNL_TYPE_NUL_STRING) < 0 ||
	    !read_prefix(mnl_attr_get_str(a[NFULA_PREFIX]), denial) ||
	    !of_size(a[NFULA_PACKET_HDR], sizeof(*packet)))
		return 0;
	clock_gettime(CLOCK_REALTIME, &denial->time);
	if (of_size(a[NFULA_IFINDEX_INDEV], 4))
		denial->ifindex[0] = ntohl(mnl_attr_get_u32(a[NFULA_IFINDEX_INDEV]));
	if (of_size(a[NFULA_IFINDEX_OUTDEV], 4))
		denial->ifindex[1] = ntohl(mnl_attr_get_u32(a[NFULA_IFINDEX_OUTDEV]));
	packet = mnl_attr_get_payload(a[NFULA_PACKET_HDR]);
	if (a[NFULA_PAYLOAD])
		read_packet((struct rest){ mnl_attr_get_payload(a[NFULA_PAYLOAD]),
					   mnl_attr_get_payload_len(a[NFULA_PAYLOAD]) },
			    ntohs(packet->hw_protocol), denial);
	return 1;
}

int denial_service(const struct denial *denial)
{
	if (denial->flags & MW_SYN)
		return mw_flags_opening(denial->flags);
	/* of a connection whose beginning was not seen: clients have the higher ports */
	return denial->port[1] <= denial->port[0];
}

int denial_peer(const struct denial *denial)
{
	return denial->direction == MAILWALL_OUT;
}

bool denial_is_local(const struct denial *denial)
{
	return denial_service(denial) != denial_peer(denial);
}

static const char *address(const struct denial *denial, int end, char text[MW_PREFIX_TEXT])
{
	if (!denial->family)
		return "?";
	mw_address_print(denial->family, denial->address[end], text);
	return text;
}

static void show_end(const struct denial *denial, int end)
{
	char text[MW_PREFIX_TEXT];
	bool bracket = denial->family == AF_INET6 && denial->has_ports;

	printf("%s%s%s", bracket ? "[" : "", address(denial, end, text), bracket ? "]" : "");
	if (denial->has_ports)
		printf(":%u", denial->port[end]);
}

void denial_show(const struct denial *denial)
{
	char text[MW_PREFIX_TEXT];
	struct tm tm;

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&denial->time.tv_sec, &tm));
	printf("%s %s %s %s ", text, denial->would ? "would-deny" : "deny",
	       denial->direction == MAILWALL_IN ? "in" : "out",
	       mw_reason_name(denial->reason) ?: "?");
	show_end(denial, 0);
	printf(" -> ");
	show_end(denial, 1);
	if (denial->has_ports)
		printf(" %s", flags_print(denial->flags, text));
	if (denial->ifindex[0])
		printf(" in by %s", device_name(denial->ifindex[0], text));
	if (denial->ifindex[1])
		printf(" out by %s", device_name(denial->ifindex[1], text));
	putchar('\n');
}

static json_t *device(u32 ifindex)
{
	char name[MW_PREFIX_TEXT];

	return ifindex ? json_string(device_name(ifindex, name)) : json_null();
}

static json_t *port(const struct denial *denial, int end)
{
	return denial->has_ports ? json_integer(denial->port[end]) : json_null();
}

void denial_show_json(const struct denial *denial)
{
	char when[MW_PREFIX_TEXT], source[MW_PREFIX_TEXT], target[MW_PREFIX_TEXT];
	char flags[MW_PREFIX_TEXT];
	struct tm tm;

	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&denial->time.tv_sec, &tm));
	json_line(json_pack("{s:s, s:s, s:s, s:s, s:s?, s:o, s:s?, s:o, s:s?, s:o, s:o}", "time",
			    when, "verdict", denial->would ? "would-deny" : "deny", "direction",
			    denial->direction == MAILWALL_IN ? "in" : "out", "reason",
			    mw_reason_name(denial->reason) ?: "?", "source",
			    denial->family ? address(denial, 0, source) : NULL, "source_port",
			    port(denial, 0), "target",
			    denial->family ? address(denial, 1, target) : NULL, "target_port",
			    port(denial, 1), "flags",
			    denial->has_ports ? flags_print(denial->flags, flags) : NULL, "in",
			    device(denial->ifindex[0]), "out", device(denial->ifindex[1])));
}
