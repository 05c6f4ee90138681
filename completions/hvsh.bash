# Completion of hvsh for bash. The shell itself says what may stand next, live names included.

_hvsh()
{
    local current place option candidate rest=$COMP_LINE word cword=0 command=0 joined
    local -a words=() before=(-q)

    # Bash parts words at colons and equals signs; a URI and --option=value are one word here.
    for ((place = 0; place < ${#COMP_WORDS[@]}; place++)); do
        word=${COMP_WORDS[place]}
        if ((place == 0)) || [[ $rest == [[:blank:]]* ]]; then
            words+=("$word")
        else
            words[-1]+=$word
        fi
        rest=${rest#"${rest%%[![:blank:]]*}"}
        rest=${rest#"$word"}
        ((place == COMP_CWORD)) && cword=$((${#words[@]} - 1))
    done
    current=${words[cword]}

    # The options before the command: where to connect counts, the others are passed over.
    for ((place = 1; place < cword; place++)); do
        option=${words[place]}
        case $option in
            -c | --connect)
                ((place + 1 < cword)) && before+=(-c "${words[++place]}")
                ;;
            --connect=* | -c?*) before+=("$option") ;;
            -r | --readonly) before+=(-r) ;;
            -d | -e | -k | -K | -l | --debug | --escape | --keepalive-interval | --keepalive-count | --log | --format | --print-completion)
                ((place++))
                ;;
            -*) ;;
            *)
                command=$place
                break
                ;;
        esac
    done

    COMPREPLY=()
    if ((command == 0)); then
        case ${words[cword - 1]} in
            -c | --connect)
                mapfile -t COMPREPLY < <(compgen -W "qemu:///system qemu:///session test:///default" -- "$current")
                ;;
            --format)
                mapfile -t COMPREPLY < <(compgen -W "table pretty json yaml" -- "$current")
                return
                ;;
            --print-completion)
                mapfile -t COMPREPLY < <(compgen -W "elvish powershell" -- "$current")
                return
                ;;
            -l | --log) return ;;
            *) command=$cword ;;
        esac
    fi
    if ((${#COMPREPLY[@]} == 0 && command > 0)); then
        while IFS= read -r candidate; do
            [[ -n $candidate ]] && COMPREPLY+=("$(printf '%q' "$candidate")")
        done < <("$1" "${before[@]}" complete -- "${words[@]:command:cword - command + 1}" 2>/dev/null)
    fi
    # Bash replaces only what follows the last of its own partings.
    joined=${current%"${current##*[:=]}"}
    COMPREPLY=("${COMPREPLY[@]#"$joined"}")
    return 0
}

complete -o default -F _hvsh hvsh
# A link of that name leads to hvsh; libvirt's own script is left alone.
complete -p virsh >/dev/null 2>&1 || complete -o default -F _hvsh virsh
