//! Shells with job control, which ask for stopped children (setpgid(2), `WUNTRACED`).

/// Where a process stands among others.
struct Place {
    parent: u32,
    group: u32,
    session: u32,
}

/// The parent of a process, if it seems to be a shell with job control: it has put the child into a group of its own,
/// within its session. Its name and its number.
pub fn shell_of(pid: u32) -> Option<(String, u32)> {
    let child = place(&stat(pid)?)?;
    let parent = place(&stat(child.parent)?)?;
    let has_job_control = child.group == pid
        && child.group != parent.group
        && child.session == parent.session
        && child.parent != std::process::id();
    let name = std::fs::read_to_string(format!("/proc/{}/comm", child.parent)).ok()?;
    has_job_control.then(|| (name.trim_end().to_owned(), child.parent))
}

fn stat(pid: u32) -> Option<String> {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()
}

/// Reads proc(5), `/proc/PID/stat`: the number, the name in brackets, which may have any characters, the state, and then these.
fn place(stat: &str) -> Option<Place> {
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut numbers = rest.split(' ').skip(1).map_while(|word| word.parse().ok());
    Some(Place {
        parent: numbers.next()?,
        group: numbers.next()?,
        session: numbers.next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_the_rest() {
        let place = place("77 (a) S 1 2 3 4) T 10 20 30 0 -1").unwrap();
        assert_eq!((place.parent, place.group, place.session), (10, 20, 30));
        assert!(super::place("77 (a) T 10 20").is_none());
    }
}
