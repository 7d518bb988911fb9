# custmart: make && make install && make installcheck
# PG_CONFIG=/path/to/pg_config chooses the server to build for.

EXTENSION = custmart
EXTVERSION = $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" custmart.control)

MODULE_big = custmart
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))

# The install script is written in topic files and joined here.
SCRIPT = sql/custmart--$(EXTVERSION).sql
DATA = $(wildcard sql/custmart--*--*.sql)
DATA_built = $(SCRIPT)
EXTRA_CLEAN = tmp_check

# Only what PG_FUNCTION_INFO_V1 names leaves the library (src/custmart.h).
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers \
	-fvisibility=hidden $(CUSTMART_CFLAGS)

REGRESS = $(sort $(patsubst test/sql/%.sql,%,$(wildcard test/sql/*.sql)))
REGRESS_OPTS = --inputdir=test --load-extension=custmart
ifeq ($(REGRESS),)
$(error test/sql holds no test: an empty list would pass)
endif

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)

$(SCRIPT): $(sort $(wildcard sql/install/*.sql))
	cat $^ > $@

# Headers are few: any change rebuilds everything.
$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*.h)

# The TAP tests start servers of their own from the installed extension.
prove_installcheck:
	rm -rf tmp_check
	TESTDIR='$(CURDIR)' PATH="$(bindir):$$PATH" PGPORT='6$(DEF_PGPORT)' \
	PG_REGRESS='$(top_builddir)/src/test/regress/pg_regress' \
	$(PROVE) $(PG_PROVE_FLAGS) $(PROVE_FLAGS) $(or $(PROVE_TESTS),test/t/*.pl)
.PHONY: prove_installcheck
