//! Variables: they have a value before they are read, and one type.

use expect_test::expect;

use super::check;

#[test]
fn a_variable_has_a_value_before_it_is_read() {
    let text = r#"wasi:* { $count = 1; printf("%d %d\n", $coutn, $other); $x += 1; $y++; let $z; $z++; $w = $w + 1; }"#;
    check(
        text,
        expect![[r#"
        error[E0602]: `$coutn` has no value yet
         --> slow.ewq:1:40
          |
        1 | wasi:* { $count = 1; printf("%d %d\n", $coutn, $other); $x += 1; $y++; let $z; $z++; $w = $w + 1; }
          |                                        ^^^^^^ did you mean `$count`?
          |
          = help: give it one above, in the same block: `$coutn = 0`; what lasts longer than one event is kept in a map: `@coutn`

        error[E0602]: `$other` has no value yet
         --> slow.ewq:1:48
          |
        1 | wasi:* { $count = 1; printf("%d %d\n", $coutn, $other); $x += 1; $y++; let $z; $z++; $w = $w + 1; }
          |                                                ^^^^^^
          |
          = help: give it one above, in the same block: `$other = 0`; what lasts longer than one event is kept in a map: `@other`

        error[E0602]: `$x` has no value yet
         --> slow.ewq:1:57
          |
        1 | wasi:* { $count = 1; printf("%d %d\n", $coutn, $other); $x += 1; $y++; let $z; $z++; $w = $w + 1; }
          |                                                         ^^
          |
          = help: give it one above, in the same block: `$x = 0`; what lasts longer than one event is kept in a map: `@x`

        error[E0602]: `$y` has no value yet
         --> slow.ewq:1:66
          |
        1 | wasi:* { $count = 1; printf("%d %d\n", $coutn, $other); $x += 1; $y++; let $z; $z++; $w = $w + 1; }
          |                                                                  ^^
          |
          = help: give it one above, in the same block: `$y = 0`; what lasts longer than one event is kept in a map: `@y`

        error[E0602]: `$z` has no value yet
         --> slow.ewq:1:80
          |
        1 | wasi:* { $count = 1; printf("%d %d\n", $coutn, $other); $x += 1; $y++; let $z; $z++; $w = $w + 1; }
          |                                                                            --  ^^
          |                                                                            |
          |                                                                            declared without a value
          |
          = help: give it one above, in the same block: `$z = 0`; what lasts longer than one event is kept in a map: `@z`

        error[E0602]: `$w` has no value yet
         --> slow.ewq:1:91
          |
        1 | wasi:* { $count = 1; printf("%d %d\n", $coutn, $other); $x += 1; $y++; let $z; $z++; $w = $w + 1; }
          |                                                                                           ^^ did you mean `$z`?
          |
          = help: give it one above, in the same block: `$w = 0`; what lasts longer than one event is kept in a map: `@w`
    "#]],
    );
}

#[test]
fn what_let_declares_ends_with_its_braces() {
    let text = r#"wasi:* { if (ok) { let $x = 1; } $y = $x; let $y = 2; }"#;
    check(
        text,
        expect![[r#"
        error[E0602]: `$x` has no value yet
         --> slow.ewq:1:39
          |
        1 | wasi:* { if (ok) { let $x = 1; } $y = $x; let $y = 2; }
          |                                       ^^
          |
          = help: give it one above, in the same block: `$x = 0`; what lasts longer than one event is kept in a map: `@x`

        error[E0101]: the variable `$y` is declared twice
         --> slow.ewq:1:47
          |
        1 | wasi:* { if (ok) { let $x = 1; } $y = $x; let $y = 2; }
          |                                  --           ^^
          |                                  |
          |                                  first here
          |
          = help: to give it another value write `$y = …` without `let`
    "#]],
    );
}

#[test]
fn a_variable_has_one_type() {
    let text = r#"wasi:* { $t = duration; $t = bytes; $t = 5; $t = 0; $n = 1; $n = 1us; $b = ok; $b = 1; $t /= 1us; $b += 1; }"#;
    check(
        text,
        expect![[r#"
            error[E0603]: `$t` is a size here and a time elsewhere
             --> slow.ewq:1:30
              |
            1 | wasi:* { $t = duration; $t = bytes; $t = 5; $t = 0; $n = 1; $n = 1us; $b = ok; $b = 1; $t /= 1us; $b += 1; }
              |               --------       ^^^^^ this is a size
              |               |
              |               this is a time

            error[E0603]: `$t` is a number here and a time elsewhere
             --> slow.ewq:1:42
              |
            1 | wasi:* { $t = duration; $t = bytes; $t = 5; $t = 0; $n = 1; $n = 1us; $b = ok; $b = 1; $t /= 1us; $b += 1; }
              |               -------- this is a time    ^ this is a number
              |
              = help: a time has a unit: `10us`, `1ms`

            error[E0603]: `$n` is a number here and a time elsewhere
             --> slow.ewq:1:58
              |
            1 | wasi:* { $t = duration; $t = bytes; $t = 5; $t = 0; $n = 1; $n = 1us; $b = ok; $b = 1; $t /= 1us; $b += 1; }
              |                                                          ^       --- this is a time
              |                                                          |
              |                                                          this is a number
              |
              = help: a time has a unit: `10us`, `1ms`

            error[E0603]: `$t` is a number here and a time elsewhere
             --> slow.ewq:1:88
              |
            1 | wasi:* { $t = duration; $t = bytes; $t = 5; $t = 0; $n = 1; $n = 1us; $b = ok; $b = 1; $t /= 1us; $b += 1; }
              |               -------- this is a time                                                  ^^^^^^^^^^ this is a number

            error[E0603]: `$b` is a number here and a condition elsewhere
             --> slow.ewq:1:99
              |
            1 | wasi:* { $t = duration; $t = bytes; $t = 5; $t = 0; $n = 1; $n = 1us; $b = ok; $b = 1; $t /= 1us; $b += 1; }
              |                                                                            -- this is a condition ^^^^^^^^ this is a number
        "#]],
    );
}

#[test]
fn variables_of_another_block_are_unknown() {
    let text = r#"wasi:fd_read { $x = 1; }
wasi:fd_write { @ = $x; }"#;
    check(
        text,
        expect![[r#"
        error[E0602]: `$x` has no value yet
         --> slow.ewq:2:21
          |
        2 | wasi:fd_write { @ = $x; }
          |                     ^^
          |
          = help: give it one above, in the same block: `$x = 0`; what lasts longer than one event is kept in a map: `@x`
    "#]],
    );
}
