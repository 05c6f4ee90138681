# Completion of hvsh for fish. The shell itself says what may stand next, live names included.

function __hvsh_candidates
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -l before -q
    set -l command 0
    set -l place 2

    # The options before the command: where to connect counts, the others are passed over.
    while test $place -le (count $words)
        set -l option $words[$place]
        switch $option
            case -c --connect
                set -l next (math $place + 1)
                if test $next -le (count $words)
                    set -a before -c $words[$next]
                end
                set place $next
            case '--connect=*' '-c?*'
                set -a before $option
            case -r --readonly
                set -a before -r
            case -d -e -k -K -l --debug --escape --keepalive-interval --keepalive-count --log --format --print-completion
                set place (math $place + 1)
            case '-*'
            case '*'
                set command $place
                break
        end
        set place (math $place + 1)
    end

    if test $command -eq 0
        switch $words[-1]
            case -c --connect
                printf '%s\n' qemu:///system qemu:///session test:///default
                return
            case --format
                printf '%s\n' table pretty json yaml
                return
            case --print-completion
                printf '%s\n' elvish powershell
                return
            case -l --log
                __fish_complete_path $current
                return
        end
        set -l found ($program $before complete -- "$current" 2>/dev/null)
        printf '%s\n' $found
        return
    end
    set -l found ($program $before complete -- $words[$command..-1] "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path $current
    end
end

complete -c hvsh -f -k -a '(__hvsh_candidates)'
complete -c virsh -f -k -a '(__hvsh_candidates)'
