//! The places to probe in one file, as a script needs them.

use ewapa_lang::wasi::{Function, Moved};
use ewapa_symbols::{Image, Site};
use ewapa_templates::{Cookie, Role};

use super::abi::Abis;
use super::attach::Point;
use super::exits;
use super::goroutines;
use super::load::Error;
use super::needs::Needs;

/// The sites of a file that a script needs. `by_exits` if the ends of calls are seen at return instructions.
pub fn wanted(image: &Image, needs: &Needs, by_exits: bool) -> Vec<Site> {
    let is_wanted = |site: &&Site| match (site.role, site.function) {
        (ewapa_symbols::Role::Start, _) => needs.guest_entry,
        (_, Some(function)) => needs.functions.contains(function),
        (_, None) => true,
    };
    let mut sites: Vec<Site> = image.sites.iter().filter(is_wanted).cloned().collect();
    if by_exits {
        exits::without_inner(&mut sites);
    }
    let needs_names = needs.guest_memory && sites.iter().any(Site::needs_name);
    if image.routed && !needs_names {
        sites.retain(|site| site.role != ewapa_symbols::Role::Name);
        for site in &mut sites {
            if site.role == ewapa_symbols::Role::Envelope {
                site.role = ewapa_symbols::Role::Call;
            }
        }
    }
    sites
}

/// What the programs are told of a file with these sites, after `numbered` files whose guest memory is searched.
///
/// # Errors
/// Their functions are called in more ways than the programs can be told.
pub fn known(
    image: &Image,
    sites: &[Site],
    numbered: u8,
) -> Result<(Abis, ewapa_templates::Image), Error> {
    let abis = Abis::of(sites)?;
    let roles = sites
        .iter()
        .fold(0, |roles, site| roles | 1 << role(site) as u8);
    let number = match abis.search() {
        false => 0,
        true if numbered < ewapa_templates::Image::NUMBERS => numbered,
        true => ewapa_templates::Image::NO_NUMBER,
    };
    let known = abis.image(roles, number);
    let known = match &image.goroutines {
        Some(of_file) => ewapa_templates::Image {
            roles: roles | 1 << Role::End as u8,
            goroutines: true,
            running: goroutines::running(of_file),
            ..known
        },
        None => known,
    };
    Ok((abis, known))
}

fn role(site: &Site) -> Role {
    match site.role {
        ewapa_symbols::Role::Call => Role::Call,
        ewapa_symbols::Role::Envelope => Role::Envelope,
        ewapa_symbols::Role::Name => Role::Name,
        ewapa_symbols::Role::Start => Role::Start,
    }
}

/// What the templates are told of a site.
pub fn point(site: &Site, abi: u8, runtime: u32) -> Point {
    let role = role(site);
    let probe = site.inner.as_ref().map_or(site.probe, |inner| inner.probe);
    // Several envelopes may hand their calls to one function.
    let function = site.function.filter(|_| role != Role::Envelope);
    let argument = |index: Option<usize>| index.map_or(Cookie::NONE, |index| index as u8);
    let cookie = Cookie {
        func: argument(function.map(Function::index)),
        role,
        fd_arg: argument(function.and_then(Function::fd_arg)),
        moved_arg: match function.and_then(Function::moved) {
            Some(Moved::Pointer(index)) => index as u8,
            Some(Moved::Value(index)) => index as u8 | Cookie::BY_VALUE,
            None => Cookie::NONE,
        },
        abi,
        runtime,
    };
    Point {
        offset: probe.0,
        cookie: cookie.to_u64(),
        returns: !matches!(role, Role::Name | Role::Start),
    }
}
