//! Formats of `printf`, and what they show.

use expect_test::expect;

use super::{check, errors};

#[test]
fn a_format_has_known_conversions() {
    let text = r#"wasi:* { printf("%f\n", 1); printf("%r", comm); printf("%*d", 1, 2); printf("%y", 1); printf("100%"); printf("% d", 1); printf("%.2d", 1); printf("%9999d", 1); printf(1); printf(comm); printf(); }"#;
    check(
        text,
        expect![[r#"
            error[E0606]: `%f` shows fractions, and the kernel has whole numbers only
             --> slow.ewq:1:17
              |
            1 | wasi:* { printf("%f\n", 1); printf("%r", comm); printf("%*d", 1, 2); printf("%y", 1); printf("100%"); printf("% d", 1); printf("%.2d"...
              |                 ^^^^^^
              |
              = help: use `%d`: `printf("%d us", duration / 1us)`; columns of tables may have fractions

            error[E0607]: `%r` shows bytes, and this is a text
             --> slow.ewq:1:42
              |
            1 | wasi:* { printf("%f\n", 1); printf("%r", comm); printf("%*d", 1, 2); printf("%y", 1); printf("100%"); printf("% d", 1); printf("%.2d"...
              |                                          ^^^^ this is a text
              |
              = help: use `%s`

            error[E0606]: a width cannot be a value of the call
             --> slow.ewq:1:56
              |
            1 | wasi:* { printf("%f\n", 1); printf("%r", comm); printf("%*d", 1, 2); printf("%y", 1); printf("100%"); printf("% d", 1); printf("%.2d"...
              |                                                        ^^^^^
              |
              = help: write the width into the format: `%10d`

            error[E0606]: `%y` is no conversion
             --> slow.ewq:1:77
              |
            1 | wasi:* { printf("%f\n", 1); printf("%r", comm); printf("%*d", 1, 2); printf("%y", 1); printf("100%"); printf("% d", 1); printf("%.2d"...
              |                                                                             ^^^^
              |
              = help: the conversions are %d %i %u %x %X %o %c %s %p %r %rx %rh and %%

            error[E0606]: the format ends within a conversion
             --> slow.ewq:1:94
              |
            1 | wasi:* { printf("%f\n", 1); printf("%r", comm); printf("%*d", 1, 2); printf("%y", 1); printf("100%"); printf("% d", 1); printf("%.2d"...
              |                                                                                              ^^^^^^
              |
              = help: a conversion is a `%` and a letter, such as `%d`; a percent sign itself is `%%`

            error[E0606]: `% ` is no flag of a conversion
             --> slow.ewq:1:110
              |
            1 | wasi:* { printf("%f\n", 1); printf("%r", comm); printf("%*d", 1, 2); printf("%y", 1); printf("100%"); printf("% d", 1); printf("%.2d"...
              |                                                                                                              ^^^^^
              |
              = help: the flags are `-`, `0`, `#` and `+`

            error[E0606]: `9999` is wider than 1024 characters
             --> slow.ewq:1:147
              |
            1 | ... printf("100%"); printf("% d", 1); printf("%.2d", 1); printf("%9999d", 1); printf(1); printf(comm); printf(); }
              |                                                                 ^^^^^^^^
              |
              = help: use a smaller number

            error[E0107]: the format of `printf()` has to be a text that is known before the script runs
             --> slow.ewq:1:168
              |
            1 | ...rintf("% d", 1); printf("%.2d", 1); printf("%9999d", 1); printf(1); printf(comm); printf(); }
              |                                                                    ^
              |
              = help: write it in quotes: `printf("%s %d\n", func, bytes)`

            error[E0107]: the format of `printf()` has to be a text that is known before the script runs
             --> slow.ewq:1:179
              |
            1 | ... 1); printf("%.2d", 1); printf("%9999d", 1); printf(1); printf(comm); printf(); }
              |                                                                   ^^^^
              |
              = help: write it in quotes: `printf("%s %d\n", func, bytes)`

            error[E0404]: `printf()` takes a format and its values
             --> slow.ewq:1:186
              |
            1 | ...tf("%.2d", 1); printf("%9999d", 1); printf(1); printf(comm); printf(); }
              |                                                                 ^^^^^^^^
              |
              = help: write `printf("%s %d\n", func, bytes)`
        "#]],
    );
}

#[test]
fn every_conversion_has_its_value() {
    let text = r#"wasi:* { printf("%d %s\n", 1); printf("%d\n", 1, pid, tid); printf("a", 1); }"#;
    check(
        text,
        expect![[r#"
        error[E0607]: the format has 2 conversions, and there is 1 value
         --> slow.ewq:1:10
          |
        1 | wasi:* { printf("%d %s\n", 1); printf("%d\n", 1, pid, tid); printf("a", 1); }
          |          ^^^^^^^^^^^^^^^^^^^^ no value for `%s`
          |
          = help: a percent sign itself is written `%%`

        error[E0607]: the format has no conversion for this value
         --> slow.ewq:1:50
          |
        1 | wasi:* { printf("%d %s\n", 1); printf("%d\n", 1, pid, tid); printf("a", 1); }
          |                                                  ^^^
          |
          = help: add one to the format: `%d` for a number, `%s` for a text or a name

        error[E0607]: the format has no conversion for this value
         --> slow.ewq:1:55
          |
        1 | wasi:* { printf("%d %s\n", 1); printf("%d\n", 1, pid, tid); printf("a", 1); }
          |                                                       ^^^
          |
          = help: add one to the format: `%d` for a number, `%s` for a text or a name

        error[E0607]: the format has no conversion for this value
         --> slow.ewq:1:73
          |
        1 | wasi:* { printf("%d %s\n", 1); printf("%d\n", 1, pid, tid); printf("a", 1); }
          |                                                                         ^
          |
          = help: add one to the format: `%d` for a number, `%s` for a text or a name
    "#]],
    );
}

#[test]
fn a_value_suits_its_conversion() {
    let text = r#"wasi:* { printf("%d %s %s %s %s %d\n", comm, duration, bytes, pid, ok, "text"); printf("%d\n", nothing); }"#;
    check(
        text,
        expect![[r#"
            error[E0607]: `%d` shows a number, and this is a text
             --> slow.ewq:1:40
              |
            1 | wasi:* { printf("%d %s %s %s %s %d\n", comm, duration, bytes, pid, ok, "text"); printf("%d\n", nothing); }
              |                                        ^^^^ this is a text
              |
              = help: use `%s`

            error[E0607]: `%s` shows a text, or the name of something, and this is a time
             --> slow.ewq:1:46
              |
            1 | wasi:* { printf("%d %s %s %s %s %d\n", comm, duration, bytes, pid, ok, "text"); printf("%d\n", nothing); }
              |                                              ^^^^^^^^ this is a time
              |
              = help: use `%d`, and divide by the unit: `duration / 1us`

            error[E0607]: `%s` shows a text, or the name of something, and this is a size
             --> slow.ewq:1:56
              |
            1 | wasi:* { printf("%d %s %s %s %s %d\n", comm, duration, bytes, pid, ok, "text"); printf("%d\n", nothing); }
              |                                                        ^^^^^ this is a size
              |
              = help: use `%d`; it prints bytes

            error[E0607]: `%s` shows a text, or the name of something, and this is a number
             --> slow.ewq:1:63
              |
            1 | wasi:* { printf("%d %s %s %s %s %d\n", comm, duration, bytes, pid, ok, "text"); printf("%d\n", nothing); }
              |                                                               ^^^ this is a number
              |
              = help: use `%d`

            error[E0607]: `%d` shows a number, and this is a text
             --> slow.ewq:1:72
              |
            1 | wasi:* { printf("%d %s %s %s %s %d\n", comm, duration, bytes, pid, ok, "text"); printf("%d\n", nothing); }
              |                                                                        ^^^^^^ this is a text
              |
              = help: use `%s`

            error[E0103]: nothing is called `nothing`
             --> slow.ewq:1:96
              |
            1 | wasi:* { printf("%d %s %s %s %s %d\n", comm, duration, bytes, pid, ok, "text"); printf("%d\n", nothing); }
              |                                                                                                ^^^^^^^
        "#]],
    );
}

#[test]
fn a_message_has_a_limited_size() {
    let printf = |count: usize| {
        let (format, paths) = ("%s".repeat(count), ", path".repeat(count));
        format!("wasi:* {{ printf(\"{format}\"{paths}); }}")
    };
    assert!(errors(&printf(32), &[]).is_empty());
    let text = printf(33);
    check(
        &text,
        expect![[r#"
            error[E0007]: at most 4096 bytes are printed at once
             --> slow.ewq:1:10
              |
            1 | ... { printf("%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%...th, path, path, path, path, path, path, path); }
              |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^...^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              |
              = help: use two statements
        "#]],
    );
}
