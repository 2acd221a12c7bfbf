# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of vmiscan's command line in bash. Calls and options are those that --help of the
# installed program names, so that they can't differ from it.

# The calls: the words that are no argument in the lines of usage.
_vmiscan_calls() {
	"$program" --help 2>/dev/null | sed -n 's/^.\{6\} vmiscan \([a-z]\{1,\}\).*/\1/p'
}

# What an option of the call takes, as --help has it; nothing for a flag.
_vmiscan_argument_of() {
	"$program" $call --help 2>/dev/null |
		sed -n 's/^  \(-\(.\),\|   \) --\([a-z-]\{1,\}\) \([^ ]\{1,\}\) .*/-\2 --\3 \4/p' |
		while read -r letter name argument; do
			[[ $1 == "$letter" || $1 == "$name" ]] && echo "$argument"
		done
}

_vmiscan_options() {
	"$program" $call --help 2>/dev/null |
		sed -n 's/^  \(-.,\|   \) \(--[a-z-]\{1,\}\).*/\2/p'
}

_vmiscan_tables() {
	"$program" schema 2>/dev/null | sed -n 's/^CREATE [A-Z]* \([a-z0-9_]*\).*/\1/p'
}

_vmiscan_formats() {
	"$program" $call --format help 2>/dev/null | cut -d' ' -f1
}

_vmiscan_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}

_vmiscan_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}

# The last of a list of tables.
_vmiscan_list() {
	local before=

	[[ $cur == *,* ]] && before=${cur%,*},
	compopt -o nospace 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -P "$before" -W "$(_vmiscan_tables)" -- "${cur##*,}")
}

_vmiscan_argument() {
	case $1:$2 in
	FILE:*) _vmiscan_files -f ;;
	DIR:* | FOLDER:*) _vmiscan_files -d ;;
	A,B:*) _vmiscan_list ;;
	NAME:--format | FORM:--format) _vmiscan_words "$(_vmiscan_formats) help" ;;
	WHEN:*) _vmiscan_words "auto always never" ;;
	MODE:*) _vmiscan_words "table csv json jsonl markdown" ;;
	sha256:*) _vmiscan_words sha256 ;;
	esac
}

_vmiscan() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]/#\~/$HOME} call= argument=

	COMPREPLY=()
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if ((COMP_CWORD > 1)) && grep -qxF -e "${COMP_WORDS[1]}" <<<"$(_vmiscan_calls)"; then
		call=${COMP_WORDS[1]}
	fi
	[[ $prev == -* ]] && argument=$(_vmiscan_argument_of "$prev")
	if [[ $argument ]]; then
		_vmiscan_argument "$argument" "$prev"
	elif [[ $cur == -* ]]; then
		_vmiscan_words "$(_vmiscan_options)"
	else
		_vmiscan_files -f
		if ((COMP_CWORD == 1)); then
			mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$(_vmiscan_calls)" -- "$cur")
		fi
	fi
}

complete -F _vmiscan vmiscan
