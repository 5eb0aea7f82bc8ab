# mlplat: machine learning inside PostgreSQL.
#
#   make, make install      the extension (PG_CONFIG=... for another server)
#   make installcheck       regression tests against a running server
#   make unit               pure C tests under address and undefined-behaviour sanitizers
#   make fuzz-corpus, fuzz   hostile images and states: damaged at random; by clang's fuzzer
#   make isolation, tap     concurrency, against a running server; TAP starts its own clusters
#   make layers, format     the layer rule; clang-format over the tree
#   make bench              every benchmark, on a throw-away server of its own
#   make frame-memory       what a frame costs in memory, without a server
#
# test/all.sh runs every test against a throw-away cluster of its own.

EXTENSION = mlplat
EXTVERSION = 0.1
MODULE_big = mlplat

PURE_DIRS = core data data/* algo algo/* metric model plot
PURE_SRCS = $(sort $(wildcard $(PURE_DIRS:%=src/%/*.c)))
PG_SRCS = $(sort $(wildcard src/*.c src/pg/*.c src/source/*.c src/source/*/*.c src/prepare/*.c src/prepare/*/*.c src/train/*.c src/serve/*.c src/analyze/*.c src/manage/*.c))
# Not HEADERS: PGXS would install those.
OUR_HEADERS = $(wildcard src/*/*.h src/*/*/*.h)
OBJS = $(PURE_SRCS:.c=.o) $(PG_SRCS:.c=.o)

INSTALL_SQL = $(EXTENSION)--$(EXTVERSION).sql
DATA_built = $(INSTALL_SQL)
EXTRA_CLEAN = build tmp_check results regression.diffs regression.out

REGRESS = $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --load-extension=mlplat
SPECS = $(sort $(patsubst test/specs/%.spec,%,$(wildcard test/specs/*.spec)))
# Expected outputs are looked for below outputdir, which the server's makefile sets to output_iso.
SPECS_OPTS = --inputdir=test --load-extension=mlplat --outputdir=.

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)

WARNINGS = -Wall -Wextra -Wno-declaration-after-statement
# Contraction is off so that the same rows give the same bytes on every CPU; see src/README.md.
PURE_CFLAGS = -std=gnu11 -O3 -ffp-contract=off -fno-math-errno -fvisibility=hidden -pthread $(WARNINGS)
# The server's headers are not ours to keep free of warnings.
PG_CPPFLAGS = -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CFLAGS = -std=gnu11 -pthread $(WARNINGS)
SHLIB_LINK = -lopenblas -lz -lcurl -lm -lpthread

# No LLVM bitcode: our kernels are not for inlining into expressions.
override with_llvm = no

include $(PGXS)

$(PURE_SRCS:.c=.o): override CFLAGS += $(PURE_CFLAGS)

# Debian's server is built without dependency tracking: a changed header rebuilds everything.
$(OBJS): $(OUR_HEADERS) Makefile

$(INSTALL_SQL): $(sort $(wildcard sql/schema/*.sql)) $(sort $(wildcard sql/api/*.sql)) Makefile
	cat $(filter %.sql,$^) > $@

# ---- unit tests: every pure source and one program per test/unit/test_*.c, under sanitizers

UNIT_CFLAGS = -std=gnu11 -g -O1 -ffp-contract=off -fno-math-errno -fno-omit-frame-pointer -pthread \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined $(WARNINGS) -Isrc -Itest/unit
UNIT_OBJS = $(PURE_SRCS:src/%.c=build/unit/%.o)
UNIT_TESTS = $(patsubst test/unit/%.c,build/unit/%,$(sort $(wildcard test/unit/test_*.c)))

build/unit/%.o: src/%.c $(OUR_HEADERS) Makefile
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -c -o $@ $<

build/unit/libpure.a: $(UNIT_OBJS)
	rm -f $@ && $(AR) rcs $@ $^

build/unit/test_%: test/unit/test_%.c $(wildcard test/unit/*.h) build/unit/libpure.a
	$(CC) $(UNIT_CFLAGS) -o $@ $< build/unit/libpure.a -lopenblas -lz -lm

unit: $(UNIT_TESTS)
	@test/unit/run.sh $(UNIT_TESTS)

# ---- hostile bytes: with gcc, seeds and random damage to each; with clang, its fuzzer

FUZZ_ROUNDS = 300
FUZZ_SECONDS = 60
FUZZ_TARGETS = $(patsubst test/fuzz/%.c,%,$(wildcard test/fuzz/fuzz_*.c))
FUZZ_DEPS = $(wildcard test/fuzz/*.h test/unit/*.h)

build/fuzz/fuzz_%: test/fuzz/fuzz_%.c $(FUZZ_DEPS) build/unit/libpure.a
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -DFUZZ_STANDALONE -o $@ $< build/unit/libpure.a -lopenblas -lz -lm

build/fuzz/corpus_%: build/fuzz/fuzz_%
	@mkdir -p $@
	$< seeds $@

fuzz-corpus: $(FUZZ_TARGETS:fuzz_%=build/fuzz/corpus_%)
	for name in $(FUZZ_TARGETS:fuzz_%=%); do \
		build/fuzz/fuzz_$$name run $(FUZZ_ROUNDS) build/fuzz/corpus_$$name/* || exit 1; done

build/fuzz/lib_%: test/fuzz/fuzz_%.c $(FUZZ_DEPS) $(PURE_SRCS) $(OUR_HEADERS)
	@mkdir -p $(@D)
	clang $(UNIT_CFLAGS) -fsanitize=fuzzer -o $@ $< $(PURE_SRCS) -lopenblas -lz -lm

fuzz: $(FUZZ_TARGETS:fuzz_%=build/fuzz/lib_%) $(FUZZ_TARGETS:fuzz_%=build/fuzz/corpus_%)
	for name in $(FUZZ_TARGETS:fuzz_%=%); do \
		mkdir -p build/fuzz/found_$$name && \
		build/fuzz/lib_$$name -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -artifact_prefix=build/fuzz/ \
			build/fuzz/found_$$name build/fuzz/corpus_$$name || exit 1; done

# ---- the other targets

isolation:
	$(pg_isolation_regress_installcheck) $(SPECS_OPTS) $(SPECS)

tap:
	@test/tap.sh

layers:
	@test/layers.sh

CLANG_FORMAT ?= clang-format
FORMATTED = $(wildcard src/*.c src/*/*.[ch] src/*/*/*.[ch] test/unit/*.[ch] test/fuzz/*.[ch] test/bench/*.c test/browser/*.c)
format:
	$(CLANG_FORMAT) -i $(FORMATTED)

format-check:
	@$(CLANG_FORMAT) --dry-run --Werror $(FORMATTED)

bench:
	@test/bench/run.sh

build/bench/libpure.a: $(PURE_SRCS:.c=.o)
	@mkdir -p $(@D)
	rm -f $@ && $(AR) rcs $@ $^

build/bench/%: test/bench/%.c build/bench/libpure.a
	$(CC) $(PURE_CFLAGS) -Isrc -o $@ $^ -lopenblas -lz -lm

# Writes report pages for the browser test.
build/browser/%: test/browser/%.c build/bench/libpure.a
	@mkdir -p $(@D)
	$(CC) $(PURE_CFLAGS) -Isrc -o $@ $^ -lm

# Bytes per natural byte of a frame, at three sizes.
frame-memory: build/bench/frame_memory
	@$<

.SECONDARY: $(FUZZ_TARGETS:%=build/fuzz/%)

.PHONY: unit fuzz fuzz-corpus isolation tap layers format format-check bench frame-memory
