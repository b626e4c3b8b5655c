//! The script that makes bash ask patdeck for candidates. bash splits words at the characters of
//! `COMP_WORDBREAKS`, such as `:` and `=`, which scopes, labels and presets contain: the script joins
//! them again, and removes from the answers what is before the last break. Called by `completers`.

/// The script. `complete` does not need the package bash-completion.
pub(super) const SCRIPT: &str = r#"_patdeck() {
    local line="${COMP_LINE:0:COMP_POINT}" words=() i rest part blanks
    for ((i = 0; i <= COMP_CWORD; i++)); do
        part=${COMP_WORDS[i]}
        blanks=${line%%[![:space:]]*}
        rest=${line#"$blanks"}
        line=${rest#"$part"}
        # The current word ends at the cursor.
        ((i == COMP_CWORD)) && part=$rest
        if [[ ${#words[@]} -gt 0 && -z $blanks ]]; then
            words[${#words[@]} - 1]+=$part
        else
            words+=("$part")
        fi
    done
    local index=$((${#words[@]} - 1)) current=${words[${#words[@]} - 1]} prefix="" char
    if [[ $current == [\"\']* ]]; then
        # bash does not split a word in quotes.
        current=$2
    else
        for char in : = @; do
            part=${current%"${current##*"$char"}"}
            if [[ $COMP_WORDBREAKS == *"$char"* && ${#part} -gt ${#prefix} ]]; then
                prefix=$part
            fi
        done
    fi
    words[index]=$current
    for ((i = 0; i < index; i++)); do
        part=${words[i]#[\"\']}
        words[i]=${part%[\"\']}
    done
    compopt +o nospace 2> /dev/null
    local options=()
    COMPREPLY=()
    while IFS= read -r line || [[ -n $line ]]; do
        if [[ -z $current && $line == -* ]]; then
            options+=("$line")
        else
            COMPREPLY+=("${line#"$prefix"}")
        fi
    done < <(_CLAP_IFS=$'\n' _CLAP_COMPLETE_INDEX=$index PATDECK_COMPLETE=bash \
        patdeck -- "${words[@]}" 2> /dev/null)
    # Without a begun word, options are offered only if there is nothing else.
    [[ ${#COMPREPLY[@]} -eq 0 && ${#options[@]} -gt 0 ]] && COMPREPLY=("${options[@]}")
    if [[ ${COMPREPLY-} == *[:=/] ]]; then
        compopt -o nospace 2> /dev/null
    fi
}
complete -o nospace -o bashdefault -F _patdeck patdeck
if ((BASH_VERSINFO[0] > 4 || BASH_VERSINFO[0] == 4 && BASH_VERSINFO[1] >= 4)); then
    complete -o nospace -o bashdefault -o nosort -F _patdeck patdeck
fi
"#;
