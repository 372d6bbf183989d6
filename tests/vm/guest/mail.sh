# shellcheck shell=bash
# Real mail servers on the gateway, and clients for them. Source lib.sh first.

MAIL_USER=alice MAIL_PASSWORD=opensesame MAIL_DOMAIN=gateway.test
MAIL_CERT=/etc/ssl/mailwall.crt MAIL_KEY=/etc/ssl/mailwall.key

mail_certificate() {
	[ -e "$MAIL_CERT" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
		-nodes -days 30 -subj "/CN=$MAIL_DOMAIN" -addext "subjectAltName=DNS:$MAIL_DOMAIN" \
		-keyout "$MAIL_KEY" -out "$MAIL_CERT" 2>/tmp/certificate.log
}

# Mail to any.test is relayed to the ANY host, port 25; there is no DNS.
postfix_config() {
	cat >/etc/postfix/main.cf <<-END
	compatibility_level = 3.6
	maillog_file = /var/log/mail.log
	myhostname = $MAIL_DOMAIN
	mydestination = $MAIL_DOMAIN, localhost
	mynetworks = 127.0.0.0/8 [::1]/128
	inet_interfaces = all
	inet_protocols = all
	home_mailbox = Maildir/
	mailbox_size_limit = 0
	alias_maps =
	alias_database =
	biff = no
	smtp_dns_support_level = disabled
	smtp_host_lookup = native
	smtp_tls_security_level = none
	transport_maps = inline:{ any.test=smtp:[${ANY_RELAY:-$ANY4}]:25 }
	minimal_backoff_time = 2s
	maximal_backoff_time = 4s
	queue_run_delay = 2s
	smtpd_tls_cert_file = $MAIL_CERT
	smtpd_tls_key_file = $MAIL_KEY
	smtpd_tls_security_level = may
	smtpd_sasl_type = dovecot
	smtpd_sasl_path = private/auth
	smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination
	END
	cat >/etc/postfix/master.cf <<-'END'
	smtp       inet  n - n - - smtpd
	submission inet  n - n - - smtpd
	  -o smtpd_sasl_auth_enable=yes
	smtps      inet  n - n - - smtpd
	  -o smtpd_tls_wrappermode=yes
	  -o smtpd_sasl_auth_enable=yes
	pickup     unix  n - n 60 1 pickup
	cleanup    unix  n - n - 0 cleanup
	qmgr       unix  n - n 300 1 qmgr
	tlsmgr     unix  - - n 1000? 1 tlsmgr
	rewrite    unix  - - n - - trivial-rewrite
	bounce     unix  - - n - 0 bounce
	defer      unix  - - n - 0 bounce
	trace      unix  - - n - 0 bounce
	verify     unix  - - n - 1 verify
	flush      unix  n - n 1000? 0 flush
	proxymap   unix  - - n - - proxymap
	proxywrite unix  - - n - 1 proxymap
	smtp       unix  - - n - - smtp
	relay      unix  - - n - - smtp
	showq      unix  n - n - - showq
	error      unix  - - n - - error
	retry      unix  - - n - - error
	discard    unix  - - n - - discard
	local      unix  - n n - - local
	virtual    unix  - n n - - virtual
	lmtp       unix  - - n - - lmtp
	anvil      unix  - - n - 1 anvil
	scache     unix  - - n - 1 scache
	postlog    unix-dgram n - n - 1 postlogd
	END
}

dovecot_config() {
	cat >/run/dovecot.conf <<-END
	protocols = pop3
	listen = *, ::
	log_path = /var/log/dovecot.log
	ssl = yes
	ssl_cert = <$MAIL_CERT
	ssl_key = <$MAIL_KEY
	disable_plaintext_auth = no
	auth_mechanisms = plain login
	auth_username_format = %n
	mail_location = maildir:~/Maildir
	passdb {
	  driver = passwd-file
	  args = scheme=plain /run/dovecot.users
	}
	userdb {
	  driver = passwd
	}
	service pop3-login {
	  inet_listener pop3 {
	    port = 110
	  }
	  inet_listener pop3s {
	    port = 995
	    ssl = yes
	  }
	}
	service auth {
	  unix_listener /var/spool/postfix/private/auth {
	    mode = 0660
	    user = postfix
	    group = postfix
	  }
	}
	END
	(umask 077 && echo "$MAIL_USER:$MAIL_PASSWORD" >/run/dovecot.users)
	chown dovecot /run/dovecot.users
}

# start_mail [NS]: Postfix on 25, 465 and 587, Dovecot on 110 and 995, one user.
start_mail() {
	local ns=${1:-gtw} port

	mail_certificate || return
	id "$MAIL_USER" >/dev/null 2>&1 || useradd -m -s /bin/bash "$MAIL_USER" || return
	postfix_config
	dovecot_config
	{ in_ns "$ns" postfix start && in_ns "$ns" dovecot -c /run/dovecot.conf; } >/tmp/mail-start.log 2>&1 || {
		diag "$(cat /tmp/mail-start.log)"
		return 1
	}
	for port in 25 465 587 110 995; do
		wait_until 60 listening "$ns" "$port" || { diag "no mail server on port $port"; return 1; }
	done
}

stop_mail() {
	dovecot -c /run/dovecot.conf stop >/dev/null 2>&1
	postfix stop >/dev/null 2>&1
}

# send_mail NS ADDRESS PORT SUBJECT [RECIPIENT]: in the way that is usual on the port.
send_mail() {
	local how=()

	case $3 in
	465) how=(--tls-on-connect --auth PLAIN --auth-user "$MAIL_USER" --auth-password "$MAIL_PASSWORD") ;;
	587) how=(--tls --auth PLAIN --auth-user "$MAIL_USER" --auth-password "$MAIL_PASSWORD") ;;
	esac
	in_ns "$1" swaks --server "$2" --port "$3" --timeout 60 --helo any.test --from bob@any.test \
		--to "${5:-$MAIL_USER@$MAIL_DOMAIN}" --header "Subject: $4" --body "$4" "${how[@]}"
}

# fetch_mail NS ADDRESS PORT [NUMBER]: the mailbox's list, or one message, over POP3 or POP3S.
fetch_mail() {
	local scheme=pop3 host=$2

	[ "$3" != 995 ] || scheme=pop3s
	case $host in *:*) host="[$host]" ;; esac
	in_ns "$1" curl -sS --insecure --max-time 60 --user "$MAIL_USER:$MAIL_PASSWORD" \
		"$scheme://$host:$3/${4:-}"
}

# mailbox_has SUBJECT: such a message lies in the user's mailbox; waits for delivery.
mailbox_has() {
	wait_until 60 grep -rqsx "Subject: $1" "/home/$MAIL_USER/Maildir/new" "/home/$MAIL_USER/Maildir/cur"
}

# start_sink NS PORT: an SMTP server that keeps each message in /tmp/sink-NS-PORT/.
start_sink() {
	local dir=/tmp/sink-$1-$2

	mkdir -p "$dir"
	chmod 777 "$dir"
	start_server "$1" "$2" -- smtp-sink -u nobody -d "$dir/%M." "inet:${3:-0.0.0.0}:$2" 16
}

# sink_has NS PORT SUBJECT
sink_has() {
	wait_until 60 grep -rqs "^Subject: $3" "/tmp/sink-$1-$2"
}
