//! Where the functions of a file return: the places of probes where there are to be no return probes.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use ewapa_lang::wasi::Function;
use ewapa_symbols::{Role, Site};

use super::attach::Point;

/// The return instructions of the functions of a file.
#[derive(Debug, Default)]
pub struct Exits {
    /// Where they are.
    pub points: Vec<Point>,
    /// WASI functions of which they cannot be told.
    pub unknown: Vec<Function>,
    /// How many functions of which they cannot be told are none of WASI, but calls go through them.
    pub trampolines: usize,
}

impl Exits {
    /// Those of these sites. A site of which they cannot be told is taken away. `file` is a name by which the file
    /// can be opened.
    pub fn of(sites: &mut Vec<Site>, file: &Path) -> Exits {
        let code = File::open(file).ok();
        let mut exits = Exits::default();
        sites.retain(|site| {
            let found = code.as_ref().and_then(|code| of_site(code, site));
            if found.is_none() {
                exits.unknown.extend(site.function);
                exits.trampolines += usize::from(site.function.is_none());
            }
            let is_known = found.is_some();
            exits.points.extend(found.into_iter().flatten());
            is_known
        });
        exits
    }
}

/// None for one whose return is not wanted.
fn of_site(code: &File, site: &Site) -> Option<Vec<Point>> {
    if matches!(site.role, Role::Name | Role::Start) {
        return Some(Vec::new());
    }
    let mut function = vec![0; usize::try_from(site.length?).ok()?];
    code.read_exact_at(&mut function, site.offset.0).ok()?;
    let exits = ewapa_symbols::exits(&function)?.into_iter();
    let point = |into| Point {
        offset: site.offset.0 + into,
        cookie: 0,
        returns: false,
    };
    Some(exits.map(point).collect())
}

/// Puts probes on the functions of the sites themselves: of what they hand their calls to, the end is not known.
pub fn without_inner(sites: &mut [Site]) {
    for site in sites {
        site.inner = None;
    }
}
