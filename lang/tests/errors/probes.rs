//! Probes: which calls a table is over.

use expect_test::expect;

use super::check;

#[test]
fn an_unknown_function_is_corrected() {
    let text = "//! slow - what is slow

table t from wasi:fd_wirte by runtime {
  calls = count(),
}";
    check(
        text,
        expect![[r#"
        error[E0203]: no WASI function is called `fd_wirte`
         --> slow.ewq:3:14
          |
        3 | table t from wasi:fd_wirte by runtime {
          |              ^^^^^^^^^^^^^ did you mean `wasi:fd_write`?
          |
          = help: `ewapa list 'wasi:fd_*'` shows them; `ewapa explain E0203` says more
    "#]],
    );
}

#[test]
fn each_part_of_a_glob_has_to_match() {
    let text = "table t from wasi:{fd_read,fd_wirte,x*} { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0203]: no WASI function is called `fd_wirte`
         --> slow.ewq:1:14
          |
        1 | table t from wasi:{fd_read,fd_wirte,x*} { a = count() }
          |              ^^^^^^^^^^^^^^^^^^^^^^^^^^ did you mean `wasi:fd_write`?
          |
          = help: `ewapa list 'wasi:fd_*'` shows them; `ewapa explain E0203` says more

        error[E0204]: no WASI function matches `x*`
         --> slow.ewq:1:14
          |
        1 | table t from wasi:{fd_read,fd_wirte,x*} { a = count() }
          |              ^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: `ewapa list 'wasi:*'` shows all functions; `ewapa explain E0204` says more
    "#]],
    );
}

#[test]
fn an_unknown_kind_of_probe_is_corrected() {
    let text = "table t from wsai:fd_write, uprob:x:y { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0201]: no kind of probe is called `wsai`
         --> slow.ewq:1:14
          |
        1 | table t from wsai:fd_write, uprob:x:y { a = count() }
          |              ^^^^ did you mean `wasi`?

        error[E0201]: no kind of probe is called `uprob`
         --> slow.ewq:1:29
          |
        1 | table t from wsai:fd_write, uprob:x:y { a = count() }
          |                             ^^^^^ did you mean `uprobe`?
    "#]],
    );
}

#[test]
fn an_unknown_runtime_is_corrected() {
    let text = r#"table t from wasi:wasmtme:fd_write where runtime == "node" { a = count() }"#;
    check(
        text,
        expect![[r#"
        error[E0202]: no runtime is called `wasmtme`
         --> slow.ewq:1:19
          |
        1 | table t from wasi:wasmtme:fd_write where runtime == "node" { a = count() }
          |                   ^^^^^^^ did you mean `wasmtime`?
          |
          = help: the runtimes are `wasmtime`, `wasmer`, `wamr`

        error[E0202]: no runtime is called `node`
         --> slow.ewq:1:53
          |
        1 | table t from wasi:wasmtme:fd_write where runtime == "node" { a = count() }
          |                                                     ^^^^^^
          |
          = help: the runtimes are `wasmtime`, `wasmer`, `wamr`
    "#]],
    );
}

#[test]
fn a_runtime_alone_is_no_probe() {
    let text = "table t from wasi:wasmtime { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0203]: no WASI function is called `wasmtime`
         --> slow.ewq:1:14
          |
        1 | table t from wasi:wasmtime { a = count() }
          |              ^^^^^^^^^^^^^
          |
          = help: `ewapa list 'wasi:*'` shows them; `ewapa explain E0203` says more
          = help: for all calls of that runtime write `wasi:wasmtime:*`
    "#]],
    );
}

#[test]
fn a_probe_has_functions_and_at_most_a_runtime_before() {
    let text = "table t from wasi, wasi:wasmtime:fd_write:enter:x { a = count() }";
    check(
        text,
        expect![[r#"
        error[E0205]: this probe names no function
         --> slow.ewq:1:14
          |
        1 | table t from wasi, wasi:wasmtime:fd_write:enter:x { a = count() }
          |              ^^^^
          |
          = help: write `wasi:fd_write`, `wasi:fd_*` or, of one runtime, `wasi:wasmtime:fd_write`

        error[E0205]: this probe has too many parts
         --> slow.ewq:1:20
          |
        1 | table t from wasi, wasi:wasmtime:fd_write:enter:x { a = count() }
          |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: write `wasi:fd_write`, `wasi:fd_*` or, of one runtime, `wasi:wasmtime:fd_write`
    "#]],
    );
}
