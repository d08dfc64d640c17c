//! The page of `ewapa report -f html` in a real browser, without a head: what it says on its console, what it
//! loads, how it fits, whether it can be read in the light, in the dark, and by a screen reader.

mod support;
#[path = "support/synthetic.rs"]
mod synthetic;

use std::process::Command;

use support::directory::Directory;
use support::host::ewapa;
use support::skip;
use synthetic::{Planted, Synthetic};

/// The page of an experiment with anomalies, failures and losses: all that a page can have.
fn page(folder: &Directory) -> String {
    let mut synthetic = Synthetic::alike(&["iwasm", "wasm3", "wasmtime"])
        .plant(2, Planted::Slow("fd_write", 4.0))
        .plant(2, Planted::Hops("fd_write", 1.0))
        .plant(1, Planted::Fails(1, 1000, 9))
        .plant(0, Planted::Loses(1, 2));
    synthetic.workloads = 2;
    folder.file("results.jsonl", synthetic.lines());
    let output = Command::new(ewapa())
        .args(["report", "-f", "html", "results.jsonl"])
        .current_dir(folder.path())
        .output()
        .expect("run ewapa");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text")
}

/// How a page is looked at.
#[derive(Clone, Copy)]
struct View {
    width: u32,
    is_dark: bool,
}

/// What a script finds in a page, and what the browser said on its console. None if there is no browser.
fn browsed(script: &str, view: View) -> Option<(String, Vec<String>)> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut found = names
        .into_iter()
        .filter(|name| Command::new(name).arg("--version").output().is_ok());
    let Some(browser) = found.next() else {
        skip("there is no chromium: install it (apt-get install chromium)");
        return None;
    };
    let folder = Directory::new();
    let script = format!("<script>parent.document.title = {script};</script></body>");
    let page = page(&folder).replace("</body>", &script);
    // A window cannot be as narrow as a phone, but a frame can.
    let page = page.replace('&', "&amp;").replace('"', "&quot;");
    let width = view.width;
    let frame =
        format!("<iframe style='border:0' width={width} height=900 srcdoc=\"{page}\"></iframe>");
    let scheme = if view.is_dark { "dark" } else { "light" };
    let path = folder.file(
        "browsed.html",
        format!("<!DOCTYPE html><title></title><meta name=color-scheme content={scheme}>{frame}"),
    );
    let output = Command::new(browser)
        .args([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--dump-dom",
            "--enable-logging=stderr",
        ])
        .arg("--enable-blink-features=ComputedAccessibilityInfo")
        .arg(format!(
            "--blink-settings=preferredColorScheme={}",
            u8::from(!view.is_dark)
        ))
        .arg(format!(
            "--user-data-dir={}",
            folder.path().join("profile").display()
        ))
        .arg(format!("file://{}", path.display()))
        .output()
        .expect("run the browser");
    let dom = String::from_utf8_lossy(&output.stdout);
    let title = dom
        .split_once("<title>")
        .and_then(|(_, rest)| rest.split_once("</title>"));
    let (title, _) = title.unwrap_or_else(|| panic!("no title in {dom:.400}"));
    let log = String::from_utf8_lossy(&output.stderr);
    let console = log.lines().filter(|line| line.contains(":CONSOLE"));
    Some((title.to_owned(), console.map(str::to_owned).collect()))
}

const LIGHT: View = View {
    width: 1400,
    is_dark: false,
};

#[test]
fn a_page_says_nothing_on_the_console_and_loads_nothing() {
    let script =
        "performance.getEntriesByType('resource').map(entry => entry.name).join(' ') + '|'";
    let Some((loaded, console)) = browsed(script, LIGHT) else {
        return;
    };
    assert_eq!(loaded, "|");
    assert_eq!(console, Vec::<String>::new());
    // What would be said would be seen.
    let Some((_, console)) = browsed("console.error('seen') || 'x'", LIGHT) else {
        return;
    };
    assert_eq!(console.len(), 1, "{console:?}");
}

#[test]
fn a_page_fits_a_phone_and_every_size_of_letters_can_be_read() {
    let script = "(() => {
        const small = [...document.querySelectorAll('figure svg text')].filter(text => {
            const svg = text.ownerSVGElement;
            const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
            return parseFloat(getComputedStyle(text).fontSize) * scale < 9.5;
        });
        const outside = [...document.querySelectorAll('figure svg text')].filter(text => {
            const [inner, outer] = [text, text.ownerSVGElement].map(it => it.getBoundingClientRect());
            return inner.left < outer.left - 1 || inner.right > outer.right + 1;
        });
        const wider = document.documentElement.scrollWidth > innerWidth;
        return [innerWidth, wider, small.length, outside.length].join(' ');
    })()";
    for width in [360, 800, 1400] {
        let Some((found, _)) = browsed(
            script,
            View {
                width,
                is_dark: false,
            },
        ) else {
            return;
        };
        // Nothing is wider than the page, too small, or cut off.
        assert_eq!(found, format!("{width} false 0 0"));
    }
}

#[test]
fn letters_stand_out_from_what_is_behind_them_in_the_light_and_in_the_dark() {
    // The contrast of WCAG 2.1: 4.5 is what its level AA asks for.
    let script = "(() => {
        const channel = value => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
        const numbers = color => (color.match(/[0-9.]+/g) || []).map(Number);
        const behind = element => {
            for (let at = element; at; at = at.parentElement) {
                const color = numbers(getComputedStyle(at).backgroundColor);
                if (color.length === 3 || color[3] > 0) return color;
            }
            return numbers(getComputedStyle(document.body).backgroundColor);
        };
        const weak = [];
        let seen = 0;
        for (const element of document.querySelectorAll('body *')) {
            const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
            const isDrawn = element instanceof SVGElement;
            if (!own || ['STYLE', 'SCRIPT'].includes(element.tagName) || isDrawn && element.tagName !== 'text') continue;
            // Text in bars stands on the bar, which no style tells: the palette's test holds it.
            if (isDrawn && element.closest('figure').querySelector('rect')) continue;
            const style = getComputedStyle(element);
            const [one, other] = [numbers(isDrawn ? style.fill : style.color), behind(element)].map(light);
            const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
            seen++;
            if (contrast < 4.5) weak.push(element.tagName + ' ' + element.textContent.slice(0, 20) + ' ' + contrast);
        }
        const paper = light(numbers(getComputedStyle(document.body).backgroundColor)) < 0.2 ? 'dark' : 'light';
        return [paper, seen > 100, weak.join(', ')].join(' ');
    })()";
    for (is_dark, name) in [(false, "light"), (true, "dark")] {
        let Some((found, _)) = browsed(
            script,
            View {
                width: 1400,
                is_dark,
            },
        ) else {
            return;
        };
        assert_eq!(found, format!("{name} true "));
    }
}

#[test]
fn a_screen_reader_is_told_what_everything_is() {
    // As the browser has it in its tree for assistive technology.
    let script = "(() => {
        // What is folded up is in no tree.
        document.querySelectorAll('details').forEach(it => it.open = true);
        const named = (selector, role) => {
            const all = [...document.querySelectorAll(selector)];
            const right = all.filter(it => it.computedRole === role && it.computedName.trim());
            return all.length > 0 && right.length === all.length;
        };
        const loose = [...document.querySelectorAll('svg:not([aria-hidden])')]
            .filter(svg => !svg.getAttribute('aria-describedby') || !document.getElementById(svg.getAttribute('aria-describedby')).textContent.trim());
        const headless = [...document.querySelectorAll('table')].filter(table => !table.querySelector('thead th[scope]') || !table.querySelector('tbody th[scope]'));
        const ids = [...document.querySelectorAll('[id]')].map(it => it.id);
        const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map(it => Number(it.tagName[1]));
        const jumps = levels.filter((level, at) => at > 0 && level > levels[at - 1] + 1);
        const behind = [...document.querySelectorAll('article')].filter(it => it.querySelector('figure') && !it.querySelector('table'));
        return [
            named('figure svg', 'image') || named('figure svg', 'img'), named('table', 'table'), named('nav', 'navigation'),
            named('section', 'region'), named('a', 'link'), document.querySelectorAll('main').length, document.documentElement.lang,
            loose.length, headless.length, ids.length - new Set(ids).size, jumps.length, behind.length,
        ].join(' ');
    })()";
    let Some((found, _)) = browsed(script, LIGHT) else {
        return;
    };
    assert_eq!(found, "true true true true true 1 en 0 0 0 0 0");
}
