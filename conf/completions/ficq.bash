# bash completion for ficq, made by "ficq completion bash"
_ficq_words() {
	COMPREPLY+=($(compgen -W "$1" -- "$cur"))
}

# What the daemon knows, word by word; what it tells is never expanded.
_ficq_ask() {
	local line
	while IFS= read -r line; do
		line=${line%%$'\t'*}
		if [[ $line == "$cur"* ]]; then COMPREPLY+=("$line"); fi
	done < <(ficq "${ficq_daemon[@]}" completion "$@" 2>/dev/null)
}

# The last of several, behind what stands before it.
_ficq_fields() {
	local before=${cur%"${cur##*[,: (\'\"]}"} i
	cur=${cur#"$before"}
	if [[ $cur == -* ]]; then before+=-; cur=${cur#-}; fi
	_ficq_ask fields "${resource:-conversations}"
	before=${before#[\'\"]}
	if [[ $before == *:* && $COMP_WORDBREAKS == *:* ]]; then before=${before##*:}; fi
	for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=$before${COMPREPLY[i]}; done
	compopt -o nospace 2>/dev/null
}

_ficq_options() {
	_ficq_words "$1 $everywhere"
	if [[ ${COMPREPLY[0]} == *= ]]; then compopt -o nospace 2>/dev/null; fi
}

_ficq() {
	local cur prev command= argument= resource= place=0 last commands everywhere i word
	local -a words=(ficq) ficq_daemon=()
	COMPREPLY=()
	commands="status sources fields query search get thread count freshness coverage sync plan wait runs changes watch export verify prune forget dead alerts edit edits resolve reload live rpc mcp completion help version"
	everywhere=" --socket= --output= --json --timeout= --tz= --color= --no-pager --no-header --wide --quiet --verbose --help --version"
	for ((i = 1; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == : || ( $i -gt 1 && ${COMP_WORDS[i-1]} == : ) ]]; then
			words[${#words[@]}-1]+=$word
		elif [[ $word != = ]]; then
			words+=("$word")
		elif [ $i = $COMP_CWORD ]; then
			words+=('')
		fi
	done
	last=$((${#words[@]} - 1))
	cur=${words[last]} prev=${words[last-1]}
	for ((i = 1; i < last; i++)); do
		case ${words[i]} in
		--socket|-S|--source|-s|--output|-o|--fields|--since|--until|--during|--axis|--where|--text|--resource|--by|--metric|--sort|--limit|-n|--max-age|--require|--on-stale|--count|--duration|--since-revision|--timeout|--fresh|--mode|--ids|--expect|--tz|--color)
			i=$((i + 1))
			if [ $i = $last ]; then break; fi
			case ${words[i-1]} in
			-S|--socket) ficq_daemon+=(-S "${words[i]}") ;;
			-s|--source) ficq_daemon+=(-s "${words[i]}") ;;
			--resource) resource=${words[i]} ;;
			esac ;;
		-*) ;;
		*)
			if [ -z "$command" ]; then
				command=${words[i]}
			else
				place=$((place + 1)) argument=${argument:-${words[i]}}
			fi ;;
		esac
	done
	if [ -z "$resource" ] && [ "$command" != search ]; then resource=$argument; fi
	case $prev in
	-S|--socket) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	-s|--source) _ficq_ask sources; return ;;
	-o|--output) _ficq_words "table json ndjson csv tsv msgpack"; return ;;
	--fields) _ficq_fields; return ;;
	--since) :; return ;;
	--until) :; return ;;
	--during) :; return ;;
	--axis) _ficq_words "created updated"; return ;;
	--where) _ficq_fields; return ;;
	--text) :; return ;;
	--resource) _ficq_ask resources; return ;;
	--by) _ficq_fields; return ;;
	--metric) _ficq_fields; return ;;
	--sort) _ficq_fields; return ;;
	-n|--limit) :; return ;;
	--max-age) :; return ;;
	--require) _ficq_words "fresh partial"; return ;;
	--on-stale) _ficq_words "serve wait live error"; return ;;
	--count) :; return ;;
	--duration) :; return ;;
	--since-revision) :; return ;;
	--timeout) :; return ;;
	--fresh) _ficq_ask resources; return ;;
	--mode) _ficq_words "changes full backfill verify"; return ;;
	--ids) :; return ;;
	--expect) :; return ;;
	--tz) :; return ;;
	--color) _ficq_words "auto always never"; return ;;
	esac
	case $command in
	'') case $cur in -*) _ficq_options '' ;; *) _ficq_words "$commands" ;; esac ;;
	status)
		case $cur in -*) _ficq_options " --source=" ;;
		esac ;;
	sources)
		case $cur in -*) _ficq_options " --source=" ;;
		esac ;;
	fields)
		case $cur in -*) _ficq_options " --source=" ;;
		*) if [ $place = 0 ]; then _ficq_ask resources; else :; fi ;;
		esac ;;
	query)
		case $cur in -*) _ficq_options " --source= --fields= --since= --until= --during= --axis= --where= --text= --sort= --limit= --max-age= --require= --on-stale= --spreadsheet" ;;
		*) if [ $place = 0 ]; then _ficq_ask resources; else :; fi ;;
		esac ;;
	search)
		case $cur in -*) _ficq_options " --source= --fields= --since= --until= --during= --axis= --where= --resource= --sort= --limit= --max-age= --require= --on-stale= --spreadsheet" ;;
		esac ;;
	get)
		case $cur in -*) _ficq_options " --source= --fields= --max-age= --require= --on-stale= --live" ;;
		*) if [ $place = 0 ]; then _ficq_ask resources; else _ficq_ask ids "$resource" "$cur"; fi ;;
		esac ;;
	thread)
		case $cur in -*) _ficq_options " --source= --resource= --max-age= --require= --on-stale= --live --quotes --spreadsheet" ;;
		*) if [ $place = 0 ]; then _ficq_ask ids threads "$cur"; else :; fi ;;
		esac ;;
	count)
		case $cur in -*) _ficq_options " --source= --since= --until= --during= --axis= --where= --text= --by= --metric= --limit= --max-age= --require= --on-stale= --spreadsheet" ;;
		*) if [ $place = 0 ]; then _ficq_ask resources; else :; fi ;;
		esac ;;
	freshness)
		case $cur in -*) _ficq_options " --source= --since= --until= --during= --axis= --max-age= --require=" ;;
		*) if [ $place = 0 ]; then _ficq_ask resources; else :; fi ;;
		esac ;;
	coverage)
		case $cur in -*) _ficq_options " --source= --max-age=" ;;
		*) if [ $place = 0 ]; then _ficq_ask resources; else :; fi ;;
		esac ;;
	sync)
		case $cur in -*) _ficq_options " --source= --since= --until= --mode= --ids= --wait --no-wait --dry-run" ;;
		*) if [ $place = 0 ]; then _ficq_ask sources; _ficq_ask resources; else _ficq_ask resources; fi ;;
		esac ;;
	plan)
		case $cur in -*) _ficq_options " --source= --since= --until= --mode= --ids=" ;;
		*) if [ $place = 0 ]; then _ficq_ask sources; _ficq_ask resources; else _ficq_ask resources; fi ;;
		esac ;;
	wait)
		case $cur in -*) _ficq_options " --source= --since= --until= --during= --axis= --max-age= --fresh= --idle" ;;
		esac ;;
	runs)
		case $cur in -*) _ficq_options " --source= --limit=" ;;
		*) if [ $place = 0 ]; then _ficq_ask resources; else :; fi ;;
		esac ;;
	changes)
		case $cur in -*) _ficq_options " --source= --fields= --since= --where= --limit= --follow --duration=" ;;
		*) if [ $place = 0 ]; then _ficq_ask resources; else _ficq_ask resources; fi ;;
		esac ;;
	watch)
		case $cur in -*) _ficq_options " --source= --fields= --since= --until= --during= --axis= --where= --text= --by= --metric= --sort= --limit= --max-age= --require= --on-stale= --count= --duration=" ;;
		*) if [ $place = 0 ]; then _ficq_ask resources; else :; fi ;;
		esac ;;
	export)
		case $cur in -*) _ficq_options " --source= --fields= --since= --until= --during= --axis= --where= --limit= --max-age= --require= --on-stale= --since-revision= --gzip --spreadsheet" ;;
		*) if [ $place = 0 ]; then _ficq_ask resources; else :; fi ;;
		esac ;;
	verify)
		case $cur in -*) _ficq_options " --source=" ;;
		esac ;;
	prune)
		case $cur in -*) _ficq_options " --source= --dry-run" ;;
		esac ;;
	forget)
		case $cur in -*) _ficq_options " --source= --dry-run --yes" ;;
		*) if [ $place = 0 ]; then _ficq_ask resources; else _ficq_ask ids "$resource" "$cur"; fi ;;
		esac ;;
	dead)
		case $cur in -*) _ficq_options " --source= --limit= --all" ;;
		*) if [ $place = 0 ]; then _ficq_words "retry drop"; else :; fi ;;
		esac ;;
	alerts)
		case $cur in -*) _ficq_options "" ;;
		*) if [ $place = 0 ]; then _ficq_words test; else :; fi ;;
		esac ;;
	edit)
		case $cur in -*) _ficq_options " --source= --wait --no-wait --expect=" ;;
		*) if [ $place = 0 ]; then _ficq_ask resources; else _ficq_ask ids "$resource" "$cur"; fi ;;
		esac ;;
	edits)
		case $cur in -*) _ficq_options " --source= --limit= --all --conflicts" ;;
		esac ;;
	resolve)
		case $cur in -*) _ficq_options " --source=" ;;
		*) if [ $place = 0 ]; then :; else _ficq_words "mine theirs"; fi ;;
		esac ;;
	reload)
		case $cur in -*) _ficq_options "" ;;
		esac ;;
	live)
		case $cur in -*) _ficq_options " --source=" ;;
		esac ;;
	rpc)
		case $cur in -*) _ficq_options "" ;;
		esac ;;
	mcp)
		case $cur in -*) _ficq_options " --source= --edits --print-config" ;;
		*) if [ $place = 0 ]; then _ficq_words "claude cursor vscode codex"; else :; fi ;;
		esac ;;
	completion)
		case $cur in -*) _ficq_options " --source=" ;;
		*) if [ $place = 0 ]; then _ficq_words "bash zsh fish"; else :; fi ;;
		esac ;;
	help)
		case $cur in -*) _ficq_options "" ;;
		*) if [ $place = 0 ]; then _ficq_words "$commands"; else :; fi ;;
		esac ;;
	version)
		case $cur in -*) _ficq_options "" ;;
		esac ;;
	esac
}
complete -F _ficq ficq
