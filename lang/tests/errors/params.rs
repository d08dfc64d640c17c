//! Parameters: what the command line gives.

use expect_test::expect;

use super::check_with;

const SCRIPT: &str = r#"param min = 1ms "at least";
param size = 4KiB;
param rows = 10;
table t from wasi:* where duration >= min && bytes > size { a = count() } limit rows"#;

#[test]
fn an_unknown_parameter_is_corrected() {
    check_with(
        SCRIPT,
        &[("mim", "1ms"), ("verbose", "1")],
        expect![[r#"
        error[E0501]: the script has no parameter `--mim`
         |
         = help: did you mean `--min`?

        error[E0501]: the script has no parameter `--verbose`
         |
         = help: its parameters are `--min`, `--size`, `--rows`
    "#]],
    );
    check_with(
        "",
        &[("min", "1ms")],
        expect![[r#"
        error[E0501]: the script has no parameter `--min`
         |
         = help: it has no parameters at all
    "#]],
    );
}

#[test]
fn a_value_has_the_type_of_the_default() {
    check_with(
        SCRIPT,
        &[("min", "5"), ("size", "10"), ("rows", "1us")],
        expect![[r#"
        error[E0502]: `--min` takes a time, and `5` is a number
         --> slow.ewq:1:13
          |
        1 | param min = 1ms "at least";
          |             ^^^ the default makes `min` a time
          |
          = help: write `5us` or `5ms`

        error[E0502]: `--size` takes a size, and `10` is a number
         --> slow.ewq:2:14
          |
        2 | param size = 4KiB;
          |              ^^^^ the default makes `size` a size
          |
          = help: write `10B` or `10KiB`

        error[E0502]: `--rows` takes a number, and `1us` is a time
         --> slow.ewq:3:14
          |
        3 | param rows = 10;
          |              ^^ the default makes `rows` a number
    "#]],
    );
}

#[test]
fn a_value_is_a_literal() {
    check_with(
        SCRIPT,
        &[
            ("min", "soon"),
            ("size", "4kib"),
            ("rows", "99999999999999999999"),
        ],
        expect![[r#"
            error[E0502]: the value of `--min` is wrong: `soon` is not a number
             --> slow.ewq:1:13
              |
            1 | param min = 1ms "at least";
              |             ^^^ the default makes `min` a time
              |
              = help: write it as in the script, such as `1ms`

            error[E0502]: the value of `--size` is wrong: `kib` is no unit of a number
             --> slow.ewq:2:14
              |
            2 | param size = 4KiB;
              |              ^^^^ the default makes `size` a size
              |
              = help: write `4KiB`

            error[E0502]: the value of `--rows` is wrong: `99999999999999999999` does not fit into 64 bits
             --> slow.ewq:3:14
              |
            3 | param rows = 10;
              |              ^^ the default makes `rows` a number
              |
              = help: the largest value is 18446744073709551615, of a time 9223372036854775807 nanoseconds, of a size so many bytes
        "#]],
    );
}
