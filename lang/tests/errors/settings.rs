//! `config`.

use expect_test::expect;

use super::check;

#[test]
fn settings_are_checked() {
    check(
        "config = { max_strln = 64; max_strlen = 1000000, format = xml; print_maps_on_exit = maybe; max_map_keys = 0; log_size = 1; format = json }",
        expect![[r#"
            error[E0801]: no setting is called `max_strln`
             --> slow.ewq:1:12
              |
            1 | config = { max_strln = 64; max_strlen = 1000000, format = xml; print_maps_on_exit = maybe; max_map_keys = 0; log_size = 1; format = j...
              |            ^^^^^^^^^ did you mean `max_strlen`?
              |
              = help: the settings are format, max_map_keys, max_strlen, print_maps_on_exit

            error[E0802]: `max_strlen` takes a number from 2 to 1024
             --> slow.ewq:1:28
              |
            1 | config = { max_strln = 64; max_strlen = 1000000, format = xml; print_maps_on_exit = maybe; max_map_keys = 0; log_size = 1; format = j...
              |                            ^^^^^^^^^^

            error[E0802]: `format` takes one of table, json, csv, md
             --> slow.ewq:1:59
              |
            1 | config = { max_strln = 64; max_strlen = 1000000, format = xml; print_maps_on_exit = maybe; max_map_keys = 0; log_size = 1; format = j...
              |                                                           ^^^

            error[E0802]: `print_maps_on_exit` takes `true` or `false`
             --> slow.ewq:1:85
              |
            1 | config = { max_strln = 64; max_strlen = 1000000, format = xml; print_maps_on_exit = maybe; max_map_keys = 0; log_size = 1; format = j...
              |                                                                                     ^^^^^

            error[E0802]: `max_map_keys` takes a number from 1 to 16777216
             --> slow.ewq:1:92
              |
            1 | config = { max_strln = 64; max_strlen = 1000000, format = xml; print_maps_on_exit = maybe; max_map_keys = 0; log_size = 1; format = j...
              |                                                                                            ^^^^^^^^^^^^

            error[E0101]: `format` is set twice
             --> slow.ewq:1:124
              |
            1 | config = { max_strln = 64; max_strlen = 1000000, format = xml; print_maps_on_exit = maybe; max_map_keys = 0; log_size = 1; format = j...
              |                                                  ------ first here                                                         ^^^^^^
        "#]],
    );
}

#[test]
fn settings_of_bpftrace_that_would_change_what_is_printed_are_refused_by_name() {
    check(
        "config = { stack_mode = perf; missing_probes = \"ignore\"; unstable_macro = enable; on_stack_limit = 32 }",
        expect![[r#"
            error[E0902]: the setting `stack_mode` is bpftrace's, and this language leaves it out
             --> slow.ewq:1:12
              |
            1 | config = { stack_mode = perf; missing_probes = "ignore"; unstable_macro = enable; on_stack_limit = 32 }
              |            ^^^^^^^^^^
              |
              = help: say it where the stack is taken: `ustack(perf, 5)`

            error[E0902]: the setting `missing_probes` is bpftrace's, and this language leaves it out
             --> slow.ewq:1:31
              |
            1 | config = { stack_mode = perf; missing_probes = "ignore"; unstable_macro = enable; on_stack_limit = 32 }
              |                               ^^^^^^^^^^^^^^
              |
              = help: a probe that cannot be attached is always reported

            error[E0902]: the setting `unstable_macro` is bpftrace's, and this language leaves it out
             --> slow.ewq:1:58
              |
            1 | config = { stack_mode = perf; missing_probes = "ignore"; unstable_macro = enable; on_stack_limit = 32 }
              |                                                          ^^^^^^^^^^^^^^
              |
              = help: `macro` needs no setting
        "#]],
    );
}

#[test]
fn a_script_that_does_nothing_is_refused() {
    for text in [
        "",
        "//! nothing - at all\n",
        "param x = 1; config = { max_strlen = 128 }",
        "macro m(x) { x; }",
        "alias wasi:io = wasi:fd_read;",
    ] {
        check(
            text,
            expect![[r#"
                error[E0810]: this script does nothing
                 |
                 = help: add a table or a probe block: `wasi:* { @calls[func] = count(); }`
            "#]],
        );
    }
    // Others import it.
    let library = ewapa_lang::Environment {
        allows_library: true,
        ..ewapa_lang::Environment::EMPTY
    };
    assert!(ewapa_lang::compile("macro m(x) { x; }", &library, &[]).is_ok());
    assert!(ewapa_lang::compile("param x = 1;", &library, &[]).is_err());
}
