# custmart: make && make install && make installcheck
# PG_CONFIG=/path/to/pg_config chooses the server to build for.
# A build outside the source tree works as well: make -f ../Makefile VPATH=..

# The lists below are relative to this file, wherever make was started.
here := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
# The source directory, if make was started elsewhere.
elsewhere := $(filter-out $(CURDIR),$(realpath $(here)))

EXTENSION = custmart
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(here)/custmart.control)

MODULE_big = custmart
OBJS = $(patsubst $(here)/%.c,%.o,$(sort $(wildcard $(here)/src/*.c $(here)/src/*/*.c)))

# The install script is written in topic files, which are joined and expanded
# here, as sql/install/expand.awk describes.
SCRIPT = sql/custmart--$(EXTVERSION).sql
DATA = $(patsubst $(here)/%,%,$(wildcard $(here)/sql/custmart--*--*.sql))
DATA_built = $(SCRIPT)
DOCS := $(patsubst $(here)/%,%,$(wildcard $(here)/docs/*.md))
EXTRA_CLEAN = tmp_check regress.schedule $(if $(elsewhere),expected)

# The library exports only what CUSTMART_FUNCTION names (src/custmart.h).
# There are no warnings of unused parameters, because PostgreSQL's headers have some.
PG_CPPFLAGS = -I$(here)/src
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -fvisibility=hidden $(CUSTMART_CFLAGS)

# All files of test/sql, beside each other.  REGRESS=NAME runs one.
SQL_TESTS := $(sort $(patsubst $(here)/test/sql/%.sql,%,$(wildcard $(here)/test/sql/*.sql)))
REGRESS = --schedule=regress.schedule
REGRESS_OPTS = --inputdir=$(here)/test --load-extension=custmart
REGRESS_PREP = regress_ready

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
# pg_config may be there without the files to build extensions.
ifeq ($(wildcard $(PGXS)),)
$(error "$(PG_CONFIG)" finds no PostgreSQL server headers. On Debian or Ubuntu install \
	postgresql-server-dev-all, on Fedora or Red Hat postgresql-server-devel; for a server installed \
	elsewhere, give PG_CONFIG=/path/to/pg_config)
endif
include $(PGXS)

# A folder of its own: extensions share PGXS's, and others may have a performance.md, too.
docmoduledir := extension/custmart
# PGXS looks for docs/NAME there, and would remove nothing.
uninstall: uninstall_docs
.PHONY: uninstall_docs
uninstall_docs:
	rm -rf '$(DESTDIR)$(docdir)/$(docmoduledir)'

# Absolute paths, because VPATH would find a bare "src", which then would not be made.
FOLDERS := $(addprefix $(CURDIR)/,$(sort $(patsubst %/,%,$(dir $(OBJS)))))
$(FOLDERS) $(CURDIR)/sql:
	mkdir -p $@

$(SCRIPT): $(here)/sql/install/expand.awk $(sort $(wildcard $(here)/sql/install/*.sql)) | $(CURDIR)/sql
	awk -f $^ > $@

# Headers are few: any change rebuilds everything.
$(OBJS) $(OBJS:.o=.bc): $(wildcard $(here)/src/*.h $(here)/src/*/*.h) | $(FOLDERS)

# pg_regress passes if it is given no tests, and looks for expected/ where it runs
# or beside the inputs; in a VPATH build it is in neither place.
.PHONY: regress_ready
regress_ready:
	@$(if $(SQL_TESTS),echo 'test: $(SQL_TESTS)' >regress.schedule,echo "test/sql holds no test: an empty list would pass" >&2; false)
	@$(if $(elsewhere),ln -sfn $(realpath $(here))/expected expected,:)

# The TAP tests start their own servers with the installed extension.  TESTDIR
# says where they keep their files up to release 15, the other two do since 16.
.PHONY: prove_installcheck
prove_installcheck:
	rm -rf tmp_check
	TESTDIR='$(CURDIR)' TESTDATADIR='$(CURDIR)/tmp_check' TESTLOGDIR='$(CURDIR)/tmp_check/log' \
	PATH="$(bindir):$$PATH" PGPORT='6$(DEF_PGPORT)' \
	PG_REGRESS='$(top_builddir)/src/test/regress/pg_regress' \
	$(PROVE) $(PG_PROVE_FLAGS) $(PROVE_FLAGS) $(or $(PROVE_TESTS),$(here)/test/t/*.pl)

# Checks of the code that need neither a build nor a server.
.PHONY: lint
lint: $(SCRIPT)
	PG_CONFIG='$(PG_CONFIG)' $(here)/test/lint/run '$(CURDIR)/$(SCRIPT)'

# The archive for PGXN: the committed files, without anything built.  Only git knows
# them, and it would take those of a checkout around an unpacked archive.
.PHONY: dist
dist:
	@test -e $(here)/.git || \
		{ echo "make dist packs what is committed: it needs a git checkout, not an unpacked archive" >&2; false; }
	git -C $(here) archive --prefix=custmart-$(EXTVERSION)/ \
		--output='$(CURDIR)/custmart-$(EXTVERSION).zip' HEAD
