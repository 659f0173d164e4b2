# fic: ficd (the cache daemon), ficq (its query tool) and what tests them. GNU make.
#
# Everything is made under $(BUILD); `make BUILD=build/x` keeps a second tree apart. A folder of src/ is a layer
# and becomes one static library; the order below is the layer table of the README, highest first, and the linker
# holds it. CFLAGS, CPPFLAGS and LDFLAGS belong to whoever runs make: what fic needs goes ahead of them.

VERSION         := 0.1.0

BUILD           ?= build
prefix          ?= /usr/local
exec_prefix     ?= $(prefix)
bindir          ?= $(exec_prefix)/bin
datarootdir     ?= $(prefix)/share
datadir         ?= $(datarootdir)
docdir          ?= $(datarootdir)/doc/fic
mandir          ?= $(datarootdir)/man
sysconfdir      ?= /etc
localstatedir   ?= /var
runstatedir     ?= /run
unitdir         ?= $(prefix)/lib/systemd/system
sysusersdir     ?= $(prefix)/lib/sysusers.d
tmpfilesdir     ?= $(prefix)/lib/tmpfiles.d
bashcompdir     ?= $(datadir)/bash-completion/completions
zshcompdir      ?= $(datadir)/zsh/site-functions
fishcompdir     ?= $(datadir)/fish/vendor_completions.d

CFLAGS          ?= -O2 -g
PKG_CONFIG      ?= pkg-config
INSTALL         ?= install
CLANG           ?= clang
FUZZ_SECONDS    ?= 60
SOAK_DAYS       ?= 90
SOAK_SEED       ?= 1

# Warnings are errors in a checkout and only warnings in a release's tarball, whose compiler nobody knows yet.
WERROR          ?= $(if $(wildcard .git),1,0)
# SANITIZE=address,undefined: what `make sanitize` sets in its own tree; COVERAGE=1 likewise.
SANITIZE        ?=
COVERAGE        ?=
# ONLY=text: of the tests, only those whose path contains the text.
ONLY            ?=

Q               := $(if $(filter-out 0,$(V)),,@)
say             = $(if $(Q),@printf '  %-8s%s\n' $(1) $(patsubst $(BUILD)/%,%,$@))

# --- flags -----------------------------------------------------------------------------------------------------------

WARN            := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
                   -Wcast-qual -Wundef -Wformat=2 -Wwrite-strings -Werror=implicit-function-declaration \
                   $(if $(findstring clang,$(CC)),-Wno-format-nonliteral)
INSTRUMENT      := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer) \
                   $(if $(COVERAGE),--coverage -O0)
FORTIFY         := $(if $(INSTRUMENT)$(findstring _FORTIFY_SOURCE,$(CFLAGS) $(CPPFLAGS))$(findstring -O0,$(CFLAGS)),,\
                   -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
FIC_CFLAGS      := -std=c11 $(WARN) $(if $(filter 1,$(WERROR)),-Werror) -fstack-protector-strong -fPIE
FIC_CPPFLAGS    := -D_GNU_SOURCE $(FORTIFY)
FIC_LDFLAGS     := -pie -Wl,-z,relro,-z,now,--as-needed

compile         = $(CC) $(FIC_CPPFLAGS) $(1) $(CPPFLAGS) -MMD -MP $(FIC_CFLAGS) $(CFLAGS) $(strip $(INSTRUMENT)) -c -o $@ $<
link            = $(CC) $(FIC_CFLAGS) $(CFLAGS) $(strip $(INSTRUMENT)) $(FIC_LDFLAGS) $(LDFLAGS) -o $@

# $(call pkg,flag,name,fallback): what pkg-config says, or the fallback where the library ships no file for it.
pkg             = $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null || echo $(3))

LIBS_EV         ?= -lev
LIBS_CURL       := $(call pkg,--libs,libcurl,-lcurl)
LIBS_ZLIB       := $(call pkg,--libs,zlib,-lz)
LIBS_INIH       := $(call pkg,--libs,inih,-linih)
LIBS_MHD        := $(call pkg,--libs,libmicrohttpd,-lmicrohttpd)
LIBS_CRYPTO     := $(call pkg,--libs,libcrypto,-lcrypto)
LIBS_UTF8PROC   := $(call pkg,--libs,libutf8proc,-lutf8proc)
LIBS_JANSSON    := $(call pkg,--libs,jansson,-ljansson)
LIBS_APISIM     := $(LIBS_MHD) $(LIBS_JANSSON) $(LIBS_ZLIB) -lm
LIBS_CMOCKA     := $(call pkg,--libs,cmocka,-lcmocka)

# --- layers ----------------------------------------------------------------------------------------------------------

LAYERS          := ficq ficd sync query io source store wire model codec base

# What each layer's library needs from outside.
EXT_base        := -lm
EXT_codec       := $(LIBS_ZLIB) $(LIBS_UTF8PROC)
EXT_store       := $(LIBS_CRYPTO)
EXT_source      := $(LIBS_CRYPTO)
EXT_io          := $(LIBS_EV) $(LIBS_CURL)
EXT_ficd        := $(LIBS_INIH) $(LIBS_MHD) $(LIBS_CRYPTO)

# A layer with all below it, in link order: what its tests and fuzz targets are linked with.
WITH_base       := base
WITH_codec      := codec base
WITH_model      := model codec base
WITH_wire       := wire $(WITH_model)
WITH_store      := store $(WITH_model)
WITH_source     := source $(WITH_model)
WITH_io         := io $(WITH_model)
WITH_query      := query io source store wire $(WITH_model)
WITH_sync       := sync io source store wire $(WITH_model)
WITH_ficd       := ficd sync query io source store wire $(WITH_model)
WITH_ficq       := ficq wire $(WITH_model)
WITH_tools      := store $(WITH_model)
WITH_all        := $(WITH_ficd)

archives        = $(patsubst %,$(BUILD)/lib%.a,$(1))
externals       = $(foreach l,$(1),$(EXT_$(l))) -lm

OBJ             := $(BUILD)/obj
objects         = $(patsubst %.c,$(OBJ)/%.o,$(1))

SRC_ALL         := $(wildcard $(LAYERS:%=src/%/*.c))
PROGRAMS        := $(patsubst src/%/main.c,$(BUILD)/%,$(wildcard src/ficd/main.c src/ficq/main.c))
APISIM_SRC      := $(wildcard tools/apisim/*.c)
TOOL_SRC        := $(wildcard tools/*.c)
TOOLS           := $(TOOL_SRC:tools/%.c=$(BUILD)/%) $(if $(wildcard tools/apisim/main.c),$(BUILD)/apisim)

# --- tests -----------------------------------------------------------------------------------------------------------

# Tiers beside tests/unit/<layer>. In tests/sim the files of tests/sim/support stand in for src/io.
TIERS           := golden sim crash fault
WITH_golden     := $(WITH_all)
WITH_crash      := $(WITH_all)
WITH_fault      := $(WITH_all)
WITH_sim        := $(filter-out io,$(WITH_all))

UNIT_SRC        := $(sort $(wildcard $(LAYERS:%=tests/unit/%/*_test.c)))
TIER_SRC        := $(sort $(wildcard $(TIERS:%=tests/%/*_test.c)))
APISIM_TEST_SRC := $(sort $(wildcard tests/apisim/*_test.c))
FUZZ_SRC        := $(sort $(wildcard tests/fuzz/*_fuzz.c))
BENCH_SRC       := $(sort $(wildcard tests/bench/*_bench.c))
SUPPORT_SRC     := $(wildcard tests/support/*.c)

UNIT_TESTS      := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/tests/%)
TIER_TESTS      := $(TIER_SRC:tests/%.c=$(BUILD)/tests/%)
APISIM_TESTS    := $(APISIM_TEST_SRC:tests/%.c=$(BUILD)/tests/%)
FUZZ_NAMES      := $(FUZZ_SRC:tests/fuzz/%.c=%)
FUZZ_REPLAYS    := $(FUZZ_NAMES:%=$(BUILD)/tests/fuzz/%)
BENCHES         := $(BENCH_SRC:tests/bench/%.c=$(BUILD)/bench/%)
BENCH_TOOL_SRC  := $(filter-out $(BENCH_SRC),$(sort $(wildcard tests/bench/*.c)))
BENCH_TOOLS     := $(BENCH_TOOL_SRC:tests/bench/%.c=$(BUILD)/bench/%)
BENCH_SCRIPTS   := $(sort $(wildcard tests/bench/*.py)) $(wildcard tools/bench/rivals.py)
SCRIPT_TESTS    := $(sort $(foreach d,golden apisim system,$(wildcard tests/$(d)/*.sh tests/$(d)/*.py)))

only            = $(if $(ONLY),$(foreach t,$(1),$(if $(findstring $(ONLY),$(t)),$(t))),$(1))
C_TESTS         := $(call only,$(UNIT_TESTS) $(TIER_TESTS) $(APISIM_TESTS) $(FUZZ_REPLAYS))
ALL_TESTS       := $(C_TESTS) $(call only,$(SCRIPT_TESTS))

SUPPORT_LIB     := $(if $(SUPPORT_SRC),$(BUILD)/libtestsupport.a)

# The neighbours that benches compare fic with, where they are installed.
BENCH_PKGS      := $(if $(BENCH_SRC),$(foreach p,jansson yajl sqlite3,\
		   $(shell $(PKG_CONFIG) --exists $(p) 2>/dev/null && echo $(p))))
BENCH_DEFS      := $(if $(filter jansson,$(BENCH_PKGS)),-DHAVE_JANSSON=1) $(if $(filter yajl,$(BENCH_PKGS)),-DHAVE_YAJL=1) \
                   $(if $(filter sqlite3,$(BENCH_PKGS)),-DHAVE_SQLITE3=1)
BENCH_LIBS      := $(if $(BENCH_PKGS),$(call pkg,--libs,$(BENCH_PKGS),))

.DEFAULT_GOAL   := all
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
.PHONY: all check nightly soak test sanitize valgrind fuzz fuzz-programs bench coverage lint lint-layers lint-words lint-shell lint-man \
	lint-cycles lint-format lint-cppcheck lint-units headers tidy install install-strip uninstall deb dist clean help FORCE

all: $(PROGRAMS) $(TOOLS) ## build ficd, ficq, the API simulator and the small tools (the default)

# --- objects, libraries, programs ------------------------------------------------------------------------------------

# Made anew only when its words change, so that other flags, or a file that is gone, rebuild what they must.
define remember
@mkdir -p $(@D) && printf '%s\n' '$(subst ','\'',$(1))' >$@.new
@if cmp -s $@.new $@; then rm -f $@.new; else mv $@.new $@; fi
endef

$(BUILD)/.flags: FORCE
	$(call remember,$(CC) $(FIC_CPPFLAGS) $(CPPFLAGS) $(filter-out -Werror,$(FIC_CFLAGS)) $(CFLAGS) $(INSTRUMENT) \
		$(FIC_LDFLAGS) $(LDFLAGS) $(VERSION) $(sysconfdir) $(localstatedir) $(runstatedir) $(datadir))

$(OBJ)/src/%.o: src/%.c $(BUILD)/.flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(call compile,-Iinclude)

PROGRAM_DEFS    := -DFIC_VERSION='"$(VERSION)"' -DFIC_SYSCONFDIR='"$(sysconfdir)"' \
                   -DFIC_LOCALSTATEDIR='"$(localstatedir)"' -DFIC_RUNSTATEDIR='"$(runstatedir)"'

$(OBJ)/src/ficd/%.o: src/ficd/%.c $(BUILD)/.flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(call compile,-Iinclude $(PROGRAM_DEFS))

# The status page goes into the daemon as it stands.
PAGE            := $(sort $(wildcard src/ficd/page/*))
PAGE_OBJ        := $(OBJ)/gen/web_files.o

$(OBJ)/gen/web_files.c: $(PAGE) tools/lib/embed
	@mkdir -p $(@D)
	$(Q)tools/lib/embed $(PAGE) >$@

$(PAGE_OBJ): $(OBJ)/gen/web_files.c $(BUILD)/.flags
	$(call say,CC)
	$(Q)$(call compile,-Isrc/ficd)

$(OBJ)/src/ficq/%.o: src/ficq/%.c $(BUILD)/.flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(call compile,-Iinclude $(PROGRAM_DEFS))

$(OBJ)/tools/%.o: tools/%.c $(BUILD)/.flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(call compile,-Iinclude)

$(OBJ)/tools/apisim/%.o: tools/apisim/%.c $(BUILD)/.flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(call compile,-Itools/apisim)

$(OBJ)/tests/%.o: tests/%.c $(BUILD)/.flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(call compile,-Iinclude -Itests/support)

# A layer's own tests see its private headers too.
$(OBJ)/tests/unit/%.o: tests/unit/%.c $(BUILD)/.flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(call compile,-Iinclude -Itests/support -Isrc/$(firstword $(subst /, ,$*)))

# The simulations are sync's own.
$(OBJ)/tests/sim/%.o: tests/sim/%.c $(BUILD)/.flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(call compile,-Iinclude -Itests/support -Isrc/sync)

$(OBJ)/tests/apisim/%.o: tests/apisim/%.c $(BUILD)/.flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(call compile,-Itools/apisim -Itests/support)

$(OBJ)/tests/bench/%.o: tests/bench/%.c $(BUILD)/.flags
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(call compile,-Iinclude -Itests/support $(BENCH_DEFS))

# $(call library,name,objects)
define library
$(BUILD)/lib$(1).list: FORCE
	$$(call remember,$(2))
$(BUILD)/lib$(1).a: $(2) $(BUILD)/lib$(1).list
	$$(call say,AR)
	$$(Q)rm -f $$@ && $(AR) rcs $$@ $(2)
endef
$(foreach l,$(LAYERS),$(eval $(call library,$(l),\
	$(call objects,$(filter-out src/ficd/main.c src/ficq/main.c,$(wildcard src/$(l)/*.c))) \
	$(if $(filter ficd,$(l)),$(PAGE_OBJ)))))
$(eval $(call library,testsupport,$(call objects,$(SUPPORT_SRC))))

# $(call program,path,objects,layers,libraries)
define program
$(1): $(2) $(call archives,$(3))
	$$(call say,LD)
	@mkdir -p $$(@D)
	$$(Q)$$(link) $(2) $(call archives,$(3)) $(4) $$(LDLIBS)
endef
$(eval $(call program,$(BUILD)/ficd,$(OBJ)/src/ficd/main.o,$(WITH_ficd),$(call externals,$(WITH_ficd))))
# ficq answers before a slow machine has read a library: libc, zlib and libm only.
$(eval $(call program,$(BUILD)/ficq,$(OBJ)/src/ficq/main.o,$(WITH_ficq),$(LIBS_ZLIB) -lm))
# The simulator stands for the provider: nothing of fic is in it.
$(eval $(call program,$(BUILD)/apisim,$(call objects,$(APISIM_SRC)),,$(LIBS_APISIM)))
$(foreach s,$(TOOL_SRC),$(eval $(call program,$(s:tools/%.c=$(BUILD)/%),$(call objects,$(s)),\
	$(WITH_tools),$(call externals,$(WITH_tools)))))

# --- test programs ---------------------------------------------------------------------------------------------------

# $(call test_program,path,sources,support folder,layers,libraries)
define test_program
$(1): $(call objects,$(2) $(wildcard $(3)/*.c)) $(SUPPORT_LIB) $(call archives,$(4))
	$$(call say,LD)
	@mkdir -p $$(@D)
	$$(Q)$$(link) $(call objects,$(2) $(wildcard $(3)/*.c)) $(SUPPORT_LIB) $(call archives,$(4)) \
		$(LIBS_CMOCKA) $(call externals,$(4)) $(5) $$(LDLIBS)
endef
comma           := ,
# Every allocation of this one can be made to fail.
$(BUILD)/tests/store/memory_test: FIC_LDFLAGS += \
	$(foreach f,malloc calloc realloc free strdup asprintf __asprintf_chk,-Wl$(comma)--wrap=$(f))
layer_of        = $(word 3,$(subst /, ,$(1)))
tier_of         = $(word 2,$(subst /, ,$(1)))
$(foreach s,$(UNIT_SRC),$(eval $(call test_program,$(s:tests/unit/%.c=$(BUILD)/tests/%),$(s),$(dir $(s))support,\
	$(WITH_$(call layer_of,$(s))))))
$(foreach s,$(TIER_SRC),$(eval $(call test_program,$(s:tests/%.c=$(BUILD)/tests/%),$(s),$(dir $(s))support,\
	$(WITH_$(call tier_of,$(s))))))
$(foreach s,$(APISIM_TEST_SRC),$(eval $(call test_program,$(s:tests/%.c=$(BUILD)/tests/%),\
	$(s) $(filter-out tools/apisim/main.c,$(APISIM_SRC)),tests/apisim/support,,$(LIBS_APISIM))))

# A fuzz target is named after its layer: codec_json_fuzz. Unfuzzed it replays its corpus and mutations of it.
fuzz_layer      = $(firstword $(subst _, ,$(1)))
$(foreach n,$(FUZZ_NAMES),$(if $(WITH_$(call fuzz_layer,$(n))),,$(error tests/fuzz/$(n).c: its name must begin with a layer)))
$(foreach n,$(FUZZ_NAMES),$(eval $(call test_program,$(BUILD)/tests/fuzz/$(n),\
	tests/fuzz/$(n).c tests/fuzz/replay_main.c,tests/fuzz/support,$(WITH_$(call fuzz_layer,$(n))))))
$(foreach n,$(FUZZ_NAMES),$(eval $(call test_program,$(BUILD)/$(n),\
	tests/fuzz/$(n).c,tests/fuzz/support,$(WITH_$(call fuzz_layer,$(n))),-fsanitize=fuzzer)))
fuzz-programs: $(FUZZ_NAMES:%=$(BUILD)/%)

$(foreach s,$(BENCH_SRC) $(BENCH_TOOL_SRC),$(eval $(call test_program,$(s:tests/bench/%.c=$(BUILD)/bench/%),$(s),\
	tests/bench/support,$(WITH_all),$(BENCH_LIBS))))

# --- checks ----------------------------------------------------------------------------------------------------------

TEST_ENV        := BUILD='$(abspath $(BUILD))' SANITIZE='$(SANITIZE)'

check: all $(C_TESTS) ## run every test (ONLY=text: those whose path contains it)
	@$(TEST_ENV) tools/lib/run-tests $(ALL_TESTS)

test: check ## the same as check

# Lives of 100,000 operations, merges of 100,000 records, every cut of every script, every byte flipped.
nightly: $(filter $(BUILD)/tests/store/%,$(C_TESTS)) $(BUILD)/tests/sim/edit_law_test ## run the store's tests and those of edits at length: minutes to an hour
	@$(TEST_ENV) TEST_TIMEOUT=7200 STORE_TEST_OPS=100000 STORE_TEST_CUTS=100000 STORE_TEST_ROWS=100000 \
		STORE_TEST_ALL=1 SIM_SEEDS=1960 \
		tools/lib/run-tests $^

sanitize: ## run every test again under the address and undefined behaviour sanitizers
	@$(MAKE) --no-print-directory BUILD='$(BUILD)/sanitize' SANITIZE=address,undefined WERROR=0 check

valgrind: $(C_TESTS) ## run the C tests under valgrind
	@$(TEST_ENV) WRAPPER='valgrind -q --error-exitcode=99 --leak-check=full' \
		tools/lib/run-tests $(filter-out $(FUZZ_REPLAYS),$(C_TESTS))

fuzz: ## fuzz every decoder for FUZZ_SECONDS (60) each, two at a time; needs clang
	@$(MAKE) --no-print-directory BUILD='$(BUILD)/fuzz' CC='$(CLANG)' SANITIZE=fuzzer-no-link,address,undefined WERROR=0 fuzz-programs
	@FUZZ_SECONDS='$(FUZZ_SECONDS)' tools/lib/run-fuzz '$(BUILD)/fuzz' $(call only,$(FUZZ_NAMES))

bench: $(PROGRAMS) $(TOOLS) $(BENCHES) $(BENCH_TOOLS) ## build the benchmarks with -O2 and run them
	@failed=; for b in $(call only,$(BENCHES) $(BENCH_SCRIPTS)); do \
		echo "== $${b##*/}"; BUILD='$(abspath $(BUILD))' $$b || failed="$$failed $${b##*/}"; \
	done; [ -z "$$failed" ] || { echo "missed or failed:$$failed" >&2; exit 1; }

soak: $(BUILD)/tests/sim/sync_soak_test $(BUILD)/tests/sim/sync_front_long_test ## ninety days of simulated worlds (SOAK_DAYS=N, SOAK_SEED=N); some minutes
	@for t in $^; do FRONT_THREADS=20000 SOAK_DAYS='$(SOAK_DAYS)' SOAK_SEED='$(SOAK_SEED)' $$t || exit 1; done

coverage: ## run every test in an instrumented tree and print the lines covered, file by file
	@$(MAKE) --no-print-directory BUILD='$(BUILD)/coverage' COVERAGE=1 WERROR=0 check; status=$$?; \
		tools/lib/coverage '$(BUILD)/coverage/obj/src'; exit $$status

# --- lint ------------------------------------------------------------------------------------------------------------

LINTS           := lint-layers lint-words lint-shell lint-man lint-units headers lint-cycles lint-format lint-cppcheck

lint: ## layers, cycles, headers, format, cppcheck, scripts, two at a time: before every commit
	@$(MAKE) --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j2) $(LINTS)

lint-layers lint-words lint-shell lint-man lint-units lint-format:
	@tools/$@

lint-cycles: $(call archives,$(LAYERS))
	@tools/$@ $^

lint-cppcheck:
	@BUILD='$(BUILD)' tools/$@

tidy: ## clang-tidy over the sources; slow
	@tools/lint-tidy

HEADERS         := $(wildcard $(LAYERS:%=include/%/*.h))
headers: $(HEADERS:include/%.h=$(OBJ)/headers/%.o) ## compile each public header by itself

$(OBJ)/headers/%.o: include/%.h $(BUILD)/.flags
	$(call say,HEADER)
	@mkdir -p $(@D)
	$(Q)printf '#include <%s>\n' $*.h $*.h | $(CC) $(FIC_CPPFLAGS) -Iinclude $(CPPFLAGS) \
		-MMD -MP -MF $(@:.o=.d) -MT $@ $(FIC_CFLAGS) $(CFLAGS) -x c -c -o $@ -

# --- install ---------------------------------------------------------------------------------------------------------

# Optional files: installed when the tree has them.
MAN_PAGES       := $(wildcard conf/man/*.[1-8])
UNITS           := $(wildcard conf/*.service conf/*.socket conf/*.timer)
# $(call put,source,destination): copied with mode 0644 if it exists.
put             = $(if $(wildcard $(1)),$(INSTALL) -D -m 644 $(1) '$(DESTDIR)$(2)')
CONFIG          := $(sysconfdir)/ficd/ficd.conf
STRIP_FLAG      :=

install: $(PROGRAMS) ## install under $(DESTDIR)$(prefix); an existing ficd.conf is kept
	$(Q)$(INSTALL) -d '$(DESTDIR)$(bindir)'
	$(Q)$(if $(PROGRAMS),$(INSTALL) $(STRIP_FLAG) -m 755 $(PROGRAMS) '$(DESTDIR)$(bindir)')
	$(Q)$(foreach m,$(MAN_PAGES),$(call put,$(m),$(mandir)/man$(subst .,,$(suffix $(m)))/$(notdir $(m))) &&) :
	$(Q)$(call put,conf/completions/ficq.bash,$(bashcompdir)/ficq)
	$(Q)$(call put,conf/completions/_ficq,$(zshcompdir)/_ficq)
	$(Q)$(call put,conf/completions/ficq.fish,$(fishcompdir)/ficq.fish)
	$(Q)$(call put,conf/sysusers.d/ficd.conf,$(sysusersdir)/ficd.conf)
	$(Q)$(call put,conf/tmpfiles.d/ficd.conf,$(tmpfilesdir)/ficd.conf)
	$(Q)$(call put,README.md,$(docdir)/README.md)
	$(Q)$(call put,LICENSE,$(docdir)/LICENSE)
	$(Q)for u in $(UNITS); do \
		$(INSTALL) -d '$(DESTDIR)$(unitdir)' && \
		sed 's|/usr/bin/|$(bindir)/|g' "$$u" >'$(DESTDIR)$(unitdir)'/"$${u##*/}" && \
		chmod 644 '$(DESTDIR)$(unitdir)'/"$${u##*/}" || exit 1; done
	$(Q)if [ -e conf/ficd.conf ]; then if [ -e '$(DESTDIR)$(CONFIG)' ]; then echo 'kept $(DESTDIR)$(CONFIG)'; else \
		$(INSTALL) -d '$(DESTDIR)$(sysconfdir)/ficd' && $(INSTALL) -m 640 conf/ficd.conf '$(DESTDIR)$(CONFIG)'; fi; fi

install-strip: ## install without symbols
	@$(MAKE) --no-print-directory STRIP_FLAG=-s install

uninstall: ## remove what install put there, but not the configuration
	$(Q)cd / && rm -f '$(DESTDIR)$(bindir)/ficd' '$(DESTDIR)$(bindir)/ficq' \
		$(foreach m,$(MAN_PAGES),'$(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(m)))/$(notdir $(m))') \
		$(foreach u,$(UNITS),'$(DESTDIR)$(unitdir)/$(notdir $(u))') \
		'$(DESTDIR)$(bashcompdir)/ficq' '$(DESTDIR)$(zshcompdir)/_ficq' '$(DESTDIR)$(fishcompdir)/ficq.fish' \
		'$(DESTDIR)$(sysusersdir)/ficd.conf' '$(DESTDIR)$(tmpfilesdir)/ficd.conf' \
		'$(DESTDIR)$(docdir)/README.md' '$(DESTDIR)$(docdir)/LICENSE'
	$(Q)rmdir '$(DESTDIR)$(docdir)' 2>/dev/null || :

deb: ## a Debian package under $(BUILD)
	@tools/lib/make-deb '$(VERSION)' '$(BUILD)'

dist: ## the last commit as a tarball under $(BUILD)
	@mkdir -p '$(BUILD)'
	$(Q)git archive --format=tar.gz --prefix=fic-$(VERSION)/ -o '$(BUILD)/fic-$(VERSION).tar.gz' HEAD
	@echo '$(BUILD)/fic-$(VERSION).tar.gz'

clean: ## remove $(BUILD)
	rm -rf '$(BUILD)'

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | \
		while IFS="$$(printf '\t')" read -r t h; do printf '  make %-15s %s\n' "$$t" "$$h"; done

FORCE:

-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)
