# Made from the code by "make documents".
function __mastodon_update_check_at
  set -l words (commandline -opc)
  set -l path
  for word in $words[2..]
    string match -q -- '-*' $word; or set -a path $word
  end
  test "$path" = "$argv[1]"
end
complete -c mastodon-update-check -n "__mastodon_update_check_at ''" -f -a run -d 'run the daemon: check every 30 minutes and tell whoever wants to know'
complete -c mastodon-update-check -n "__mastodon_update_check_at ''" -f -a check -d 'check once, and try every due message once (for timers and cron)'
complete -c mastodon-update-check -n "__mastodon_update_check_at ''" -f -a status -d 'show how the server stands; exit codes as of a monitoring plugin'
complete -c mastodon-update-check -n "__mastodon_update_check_at ''" -f -a recipients -d 'list who would be told what, and why, or why not'
complete -c mastodon-update-check -n "__mastodon_update_check_at ''" -f -a doctor -d 'try everything that is configured, and say what to do; sends and changes nothing'
complete -c mastodon-update-check -n "__mastodon_update_check_at ''" -f -a route -d 'show which releases to deploy in which order, and the steps; runs nothing'
complete -c mastodon-update-check -n "__mastodon_update_check_at ''" -f -a ledger -d 'look after the ledger, which remembers what was told'
complete -c mastodon-update-check -n "__mastodon_update_check_at ''" -s h -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at ''" -l help -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at ''" -l version -d 'show program'\''s version number and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'run'" -s h -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'run'" -l help -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'check'" -s h -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'check'" -l help -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'check'" -l json -d 'print one JSON object'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'check'" -l dry-run -d 'only show what would be sent, and to whom'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'status'" -s h -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'status'" -l help -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'status'" -l json -d 'print one JSON object'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'status'" -l alive -d 'only say whether the daemon does its work'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'recipients'" -s h -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'recipients'" -l help -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'recipients'" -l json -d 'print one JSON object'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'doctor'" -s h -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'doctor'" -l help -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'doctor'" -l json -d 'print one JSON object'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'route'" -s h -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'route'" -l help -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'route'" -l json -d 'print one JSON object'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'ledger'" -f -a backup -d 'copy the ledger to a new file, also while the daemon runs'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'ledger'" -f -a new -d 'set the ledger aside and begin a new one: all that is pending is told again'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'ledger'" -s h -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'ledger'" -l help -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'ledger backup'" -s h -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'ledger backup'" -l help -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'ledger new'" -s h -d 'show this help message and exit'
complete -c mastodon-update-check -n "__mastodon_update_check_at 'ledger new'" -l help -d 'show this help message and exit'
