# shellcheck shell=bash
# What the scripts of each boot share.
# shellcheck source-path=SCRIPTDIR source=../../vm/guest/lib.sh
. ../../vm/guest/lib.sh

# What the administrator configured, in the form of sysfs.
configured() {
	sed -n "s/^options mailwall.* $1=\([^ ]*\).*/\1/p" /etc/modprobe.d/mailwall.conf | tr ',' '\n' |
		tr ':' "$2"
}
# shellcheck disable=SC2034  # for those who source this
{
	want_adm=$(configured adm :)
	want_site=$(configured site ' ')
}

# shellcheck disable=SC2034  # for those who source this
krel=$(literal "$(uname -r)")

unit_said() {
	journalctl -b -u mailwall.service --no-pager -o cat
}

# usec UNIT PROPERTY: a time stamp of the unit, on the clock of the journal
usec() {
	systemctl show -P "${2}TimestampMonotonic" "$1"
}

# shellcheck disable=SC2034  # said is for those who source this
# restart WANT WHY: start the unit anew; its journal from then on is in $said
restart() {
	local cursor

	cursor=$(journalctl -b -n 0 --show-cursor | sed -n 's/^-- cursor: //p')
	systemctl restart mailwall.service
	is "$(systemctl is-active mailwall.service)" "$1" "the unit is $1: $2"
	journalctl --sync
	said=$(journalctl -u mailwall.service --no-pager -o cat --after-cursor "$cursor")
}

unit_failed_visibly() {
	is "$(systemctl is-failed mailwall.service)" failed "mailwall.service has failed"
	like "$(systemctl --failed --no-legend --plain)" '^mailwall.service .*failed' \
		"systemctl --failed shows it"
	like "$(unit_said)" "THE TABLE IS NOT IN FORCE: $1" "the journal says why"
}

no_cycle() {
	unlike "$(journalctl -b --no-pager)" 'ordering cycle' "no ordering cycle"
}

module_file() {
	find "/lib/modules/$(uname -r)" -name 'mailwall.ko*'
}
