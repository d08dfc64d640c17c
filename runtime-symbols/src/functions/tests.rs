//! Functions of this very file, which is a test with symbols.

use super::*;

fn own() -> Functions {
    Functions::read(&std::env::current_exe().unwrap()).unwrap()
}

#[test]
fn a_rust_function_is_found_by_its_name_in_the_source() {
    let functions = own();
    let name = "ewapa_symbols::functions::without_parameters";
    let places = functions.places(name, 0).unwrap();
    assert_eq!(places.len(), 1, "{places:?}");
    assert_eq!(places[0].name, name);
    for glob in [
        "*functions::without_par*",
        "*functions::{without_par*,no_such}",
    ] {
        assert_eq!(functions.places(glob, 0).unwrap(), places, "{glob}");
    }
}

#[test]
fn a_probe_within_an_instruction_is_refused() {
    let functions = own();
    let name = "ewapa_symbols::functions::without_parameters";
    let outcomes: Vec<_> = (0..16)
        .map(|offset| functions.places(name, offset))
        .collect();
    let within =
        |outcome: &Result<_, _>| matches!(outcome, Err(PlaceError::WithinInstruction { .. }));
    assert!(outcomes.iter().any(within));
    assert!(outcomes.iter().any(|outcome| outcome.is_ok()));
    assert!(matches!(
        functions.places(name, 1 << 20),
        Err(PlaceError::Outside { .. })
    ));
}

#[test]
fn a_misspelt_function_is_corrected() {
    let error = own()
        .places("ewapa_symbols::functions::without_parametres", 0)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("did you mean `ewapa_symbols::functions::without_parameters`?"),
        "{error}"
    );
}

#[test]
fn an_address_must_be_one_of_code() {
    assert!(matches!(
        own().places("0x1", 0),
        Err(PlaceError::NoCode { address: 1, .. })
    ));
}

#[test]
fn names_lose_their_parameters() {
    assert_eq!(without_parameters("a::b(int, c<d>)"), "a::b");
    assert_eq!(
        without_parameters("f<int (*)(char)>(x)"),
        "f<int (*)(char)>"
    );
    assert_eq!(without_parameters("plain"), "plain");
    assert_eq!(needle("a::b::<impl c>::fd_write::{{closure}}"), "closure");
}
