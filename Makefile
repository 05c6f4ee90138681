# Two commands on a fresh machine: `make demo` shows the main job, `make test` passes the tests.
# Both install what they need and say so.

PREFIX ?= /usr/local
BINDIR = $(DESTDIR)$(PREFIX)/bin
LIBEXECDIR = $(DESTDIR)$(PREFIX)/libexec/hvsh
MANDIR = $(DESTDIR)$(PREFIX)/share/man
UNITDIR = $(DESTDIR)$(PREFIX)/lib/systemd
CARGO ?= cargo
# 4755 lets plain users start the Xen proxy themselves, where no service manager does.
XEN_PROXY_MODE ?= 755

.PHONY: build demo test test-xen lint bench install uninstall clean

# The shell runs once for each command: what it needs is linked into it, so that it starts in half the time. Where
# there is no C library to link in, it stays outside.
STATIC_SHELL := $(shell printf 'int main(void) { return 0; }' | $(CC) -static -x c -o /dev/null - 2>/dev/null && \
	echo -C target-feature=+crt-static -C relocation-model=static)

define build_programs
	$(CARGO) build --release --bin hvsh-qemud --bin hvsh-xen-proxy
	$(CARGO) rustc --release --bin hvsh -- $(STATIC_SHELL)
endef

build:
	$(build_programs)

demo:
	tools/setup demo
	$(CARGO) build --release --bins
	tools/demo-guest target/guest
	tools/demo target/release target/guest

test:
	tools/setup test
	tools/demo-guest target/guest
	$(CARGO) test --no-fail-fast

test-xen:
	tools/setup xen
	$(CARGO) build --bin hvsh --bin hvsh-xen-proxy
	tests/xen/run

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings
	CARGO_TARGET_DIR=target/fuzz $(CARGO) build --quiet --manifest-path fuzz/Cargo.toml
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --no-deps --document-private-items --quiet

bench:
	tools/setup bench
	tools/demo-guest target/guest
	$(CARGO) bench --bench ratios
	$(build_programs)
	tests/xen/bench target/release/hvsh

install: build
	install -D -m 755 target/release/hvsh $(BINDIR)/hvsh
	install -D -m 755 target/release/hvsh-qemud $(LIBEXECDIR)/hvsh-qemud
	install -D -m $(XEN_PROXY_MODE) target/release/hvsh-xen-proxy $(LIBEXECDIR)/hvsh-xen-proxy
	install -D -m 644 man/hvsh.1 $(MANDIR)/man1/hvsh.1
	install -D -m 644 man/hvsh-qemud.8 $(MANDIR)/man8/hvsh-qemud.8
	install -D -m 644 man/hvsh-xen-proxy.8 $(MANDIR)/man8/hvsh-xen-proxy.8
	install -D -m 644 completions/hvsh.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/hvsh
	install -D -m 644 completions/_hvsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_hvsh
	install -D -m 644 completions/hvsh.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/hvsh.fish
	install -d $(UNITDIR)/system $(UNITDIR)/user
	for unit in packaging/systemd/system/*; do sed 's|@LIBEXECDIR@|$(PREFIX)/libexec/hvsh|' $$unit > $(UNITDIR)/system/$${unit##*/}; done
	for unit in packaging/systemd/user/*; do sed 's|@LIBEXECDIR@|$(PREFIX)/libexec/hvsh|' $$unit > $(UNITDIR)/user/$${unit##*/}; done

uninstall:
	rm -f $(BINDIR)/hvsh $(LIBEXECDIR)/hvsh-qemud $(LIBEXECDIR)/hvsh-xen-proxy
	rm -f $(MANDIR)/man1/hvsh.1 $(MANDIR)/man8/hvsh-qemud.8 $(MANDIR)/man8/hvsh-xen-proxy.8
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/hvsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_hvsh
	rm -f $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/hvsh.fish
	rm -f $(UNITDIR)/system/hvsh-qemud.* $(UNITDIR)/system/hvsh-qemud-ro.* $(UNITDIR)/system/hvsh-xen-proxy.* $(UNITDIR)/user/hvsh-qemud.*

clean:
	$(CARGO) clean
