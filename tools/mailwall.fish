# fish completion for mailwall(8)

function __mailwall_words
    # the words of the command, without options and "try"
    string match -v -- '-*' (commandline -opc)[2..] | string match -v try
end

function __mailwall_at
    # is this the word after these?
    set -l words (__mailwall_words)
    test "$words" = "$argv"
end

complete -c mailwall -f
complete -c mailwall -s h -l help -d 'what there is; after a command, its forms'
complete -c mailwall -n __mailwall_at -a 'status adm site gtw mode log try confirm revert enable disable check save reload diff apply explain watch suggest report help version'
for list in adm site gtw
    complete -c mailwall -n "__mailwall_at $list" -a 'show set add remove'
    complete -c mailwall -n "__mailwall_at $list remove" -a "(mailwall $list show 2>/dev/null | string replace -a ' ' ':')"
end
complete -c mailwall -n '__mailwall_at adm; or __mailwall_at site' -a clear
complete -c mailwall -n '__mailwall_at mode' -a 'enforce audit off'
complete -c mailwall -n '__mailwall_at log' -a 'off kernel nflog'
complete -c mailwall -n '__mailwall_at explain' -a 'in out forward'
complete -c mailwall -n '__mailwall_at check; or __mailwall_at apply' -F
set -l changes 'contains -- (__mailwall_words)[1] adm site gtw mode log reload enable'
complete -c mailwall -n $changes -l confirm -x -d 'undo it after so many seconds'
complete -c mailwall -n $changes -l force -d 'even if it cuts this session'
complete -c mailwall -n 'contains -- (__mailwall_words)[1] status explain watch version' -l json
complete -c mailwall -n '__mailwall_at status' -l prometheus
complete -c mailwall -n '__mailwall_at status' -l check
complete -c mailwall -n '__mailwall_at confirm' -l extend -x -d 'let it wait so many seconds more'
complete -c mailwall -n '__mailwall_at watch' -l summary
