# bash completion for ficq, made by "ficq completion bash"
_ficq_words() {
	COMPREPLY=($(compgen -W "$1" -- "$cur"))
}

_ficq() {
	local cur prev command= place=0 words= options= commands i word
	COMPREPLY=()
	commands="status sources fields query search get thread count freshness coverage sync plan wait runs changes watch export verify prune dead reload rpc mcp completion help version"
	cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	# "--name=va" comes as three words.
	if [ "$cur" = '=' ]; then cur=; elif [ "$prev" = '=' ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi
	case $prev in
	-S|--socket) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	-s|--source) _ficq_words "$(ficq completion sources 2>/dev/null)"; return ;;
	-o|--output) _ficq_words "table json ndjson csv tsv msgpack"; return ;;
	--fields) :; return ;;
	--since) :; return ;;
	--until) :; return ;;
	--axis) _ficq_words "created updated"; return ;;
	--where) :; return ;;
	--text) :; return ;;
	--resource) _ficq_words "$(ficq completion resources 2>/dev/null)"; return ;;
	--by) :; return ;;
	--metric) :; return ;;
	--sort) :; return ;;
	-n|--limit) :; return ;;
	--max-age) :; return ;;
	--require) _ficq_words "fresh partial"; return ;;
	--on-stale) _ficq_words "serve wait error"; return ;;
	--count) :; return ;;
	--duration) :; return ;;
	--since-revision) :; return ;;
	--timeout) :; return ;;
	--fresh) _ficq_words "$(ficq completion resources 2>/dev/null)"; return ;;
	--mode) _ficq_words "changes full backfill verify"; return ;;
	--ids) :; return ;;
	--tz) :; return ;;
	--color) _ficq_words "auto always never"; return ;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--socket|-S|--source|-s|--output|-o|--fields|--since|--until|--axis|--where|--text|--resource|--by|--metric|--sort|--limit|-n|--max-age|--require|--on-stale|--count|--duration|--since-revision|--timeout|--fresh|--mode|--ids|--tz|--color) [ "${COMP_WORDS[i+1]}" = '=' ] && i=$((i + 1)); i=$((i + 1)) ;;
		-*|=) ;;
		*) if [ -z "$command" ]; then command=$word; else place=$((place + 1)); fi ;;
		esac
	done
	case $command in
	'') words=$commands ;;
	status) options=" --source="
		:
		;;
	sources) options=" --source="
		:
		;;
	fields) options=" --source="
		[ $place = 0 ] && words="$(ficq completion resources 2>/dev/null)"
		;;
	query) options=" --source= --fields= --since= --until= --axis= --where= --text= --sort= --limit= --max-age= --require= --on-stale="
		[ $place = 0 ] && words="$(ficq completion resources 2>/dev/null)"
		;;
	search) options=" --source= --fields= --since= --until= --axis= --where= --resource= --sort= --limit= --max-age= --require= --on-stale="
		:
		;;
	get) options=" --source= --fields= --max-age= --require= --on-stale="
		[ $place = 0 ] && words="$(ficq completion resources 2>/dev/null)"
		;;
	thread) options=" --source= --max-age= --require= --on-stale="
		:
		;;
	count) options=" --source= --since= --until= --axis= --where= --text= --by= --metric= --limit= --max-age= --require= --on-stale="
		[ $place = 0 ] && words="$(ficq completion resources 2>/dev/null)"
		;;
	freshness) options=" --source= --since= --until= --axis= --max-age= --require="
		[ $place = 0 ] && words="$(ficq completion resources 2>/dev/null)"
		;;
	coverage) options=" --source= --max-age="
		[ $place = 0 ] && words="$(ficq completion resources 2>/dev/null)"
		;;
	sync) options=" --source= --since= --until= --mode= --ids= --wait --no-wait --dry-run"
		[ $place = 0 ] && words="$(ficq completion sources 2>/dev/null) $(ficq completion resources 2>/dev/null)"
		[ $place -gt 0 ] && words="$(ficq completion resources 2>/dev/null)"
		;;
	plan) options=" --source= --since= --until= --mode= --ids="
		[ $place = 0 ] && words="$(ficq completion sources 2>/dev/null) $(ficq completion resources 2>/dev/null)"
		[ $place -gt 0 ] && words="$(ficq completion resources 2>/dev/null)"
		;;
	wait) options=" --source= --since= --until= --axis= --max-age= --fresh= --idle"
		:
		;;
	runs) options=" --source= --limit="
		[ $place = 0 ] && words="$(ficq completion resources 2>/dev/null)"
		;;
	changes) options=" --source= --fields= --since= --where= --limit= --follow --duration="
		[ $place = 0 ] && words="$(ficq completion resources 2>/dev/null)"
		[ $place -gt 0 ] && words="$(ficq completion resources 2>/dev/null)"
		;;
	watch) options=" --source= --fields= --since= --until= --axis= --where= --limit= --max-age= --require= --on-stale= --count= --duration="
		[ $place = 0 ] && words="$(ficq completion resources 2>/dev/null)"
		;;
	export) options=" --source= --fields= --since= --until= --axis= --where= --limit= --max-age= --require= --on-stale= --since-revision= --gzip"
		[ $place = 0 ] && words="$(ficq completion resources 2>/dev/null)"
		;;
	verify) options=" --source="
		:
		;;
	prune) options=" --source= --dry-run"
		:
		;;
	dead) options=" --source= --limit= --all"
		[ $place = 0 ] && words="retry drop"
		;;
	reload) options=""
		:
		;;
	rpc) options=""
		:
		;;
	mcp) options=" --source= --print-config"
		[ $place = 0 ] && words="claude cursor vscode codex"
		;;
	completion) options=""
		[ $place = 0 ] && words="bash zsh fish"
		;;
	help) options=""
		[ $place = 0 ] && words=$commands
		;;
	version) options=""
		:
		;;
	esac
	case $cur in
	-*) _ficq_words "$options --socket= --output= --json --timeout= --tz= --color= --no-pager --no-header --wide --quiet --verbose --help --version"
		[ "${COMPREPLY[0]: -1}" = '=' ] && compopt -o nospace 2>/dev/null ;;
	*) _ficq_words "$words" ;;
	esac
}
complete -F _ficq ficq
