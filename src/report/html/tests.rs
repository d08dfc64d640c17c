//! The page: whole, small, and readable without seeing it.

use std::collections::BTreeSet;

use crate::report::anomaly::{self, Limits};
use crate::report::read::Results;
use crate::report::study::Study;
use crate::report::synthetic::{Planted, Synthetic};
use crate::report::tests::{runs, study};

use super::page;

fn written(synthetic: &Synthetic) -> String {
    let study = study(synthetic);
    let found = anomaly::find(&study, &Limits::default());
    page(&Results::default(), &study, &found).into_string()
}

fn five() -> Synthetic {
    Synthetic::alike(&["a", "b", "c", "d", "e"])
        .plant(1, Planted::Slow("fd_write", 4.0))
        .plant(2, Planted::Fails(0, 10, 2))
}

/// What stands between each two texts.
fn between<'a>(page: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
    page.split(before)
        .skip(1)
        .filter_map(move |rest| Some(rest.split_once(after)?.0))
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let page = written(&five());
    for part in [
        "http", "src=", "url(", "@import", "<script", "<link", "<iframe",
    ] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(between(&page, "href=\"", "\"").all(|target| target.starts_with('#')));
}

#[test]
fn what_results_say_is_text_and_no_markup() {
    let mut five = five();
    five.runtimes[0].name = "<img onerror='x'>&\"".to_owned();
    let page = written(&five);
    assert!(
        !page.contains("<img") && !page.contains("<b>assertion"),
        "markup of a result"
    );
    assert!(page.contains("&lt;img onerror='x'&gt;&amp;&quot;"));
    assert!(page.contains("&lt;b&gt;assertion &amp; failed&lt;/b&gt;"));
}

#[test]
fn every_plot_has_words_and_a_table_stands_behind_it() {
    let page = written(&five());
    let plots: Vec<&str> = between(&page, "<figure>", "</figure>").collect();
    // Four trends, the parts and the spread of each of three workloads.
    assert_eq!(plots.len(), 18);
    for plot in &plots {
        assert!(
            plot.contains("role=\"img\"") && plot.contains("<title id="),
            "{plot}"
        );
        let words = between(plot, "<desc id=", "</desc>").next().unwrap();
        assert!(words.contains("a: ") && words.contains("e: "), "{words}");
    }
    for article in between(&page, "<article", "</article>") {
        assert!(article.contains("<caption>") && article.contains("scope=\"row\""));
    }
    // All other drawings only adorn.
    assert_eq!(
        page.matches("<svg").count(),
        plots.len() + page.matches("aria-hidden").count()
    );
}

#[test]
fn names_on_the_page_are_unique_and_those_referred_to_exist() {
    let page = written(&five());
    let ids: Vec<&str> = between(&page, " id=\"", "\"").collect();
    let known: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(known.len(), ids.len());
    for attribute in ["href=\"#", "aria-labelledby=\"", "aria-describedby=\""] {
        for id in between(&page, attribute, "\"") {
            assert!(known.contains(id), "{attribute}{id}");
        }
    }
}

#[test]
fn no_level_of_headings_is_left_out() {
    let page = written(&five());
    let levels: Vec<u32> = between(&page, "<h", ">")
        .filter_map(|rest| rest.chars().next()?.to_digit(10))
        .collect();
    assert_eq!(levels.first(), Some(&1));
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert!(
        levels.windows(2).all(|pair| pair[1] <= pair[0] + 1),
        "{levels:?}"
    );
}

#[test]
fn ten_thousand_results_are_less_than_two_megabytes() {
    let mut large = five();
    large.workloads = 8;
    large.repetitions = 32;
    let page = written(&large);
    assert!(page.len() < 2_000_000, "{}", page.len());
    assert!(!page.contains("too large"));
    // As many cells as runs.
    large.repetitions = 1;
    large.scales = (1..=125).collect();
    let page = written(&large);
    assert!(page.len() < 2_000_000, "{}", page.len());
}

#[test]
fn without_any_observed_or_bare_run_the_page_says_so() {
    let mut broken = Synthetic::alike(&["a"]).plant(0, Planted::Fails(0, 1, 9));
    broken.workloads = 1;
    broken.scales = vec![1];
    let page = written(&broken);
    assert!(page.contains("No run was observed.") && page.contains("No run ended as it should."));
}

#[test]
fn without_bare_runs_the_total_is_that_with_probes() {
    let of = |observed| {
        let mut runs = runs(&five());
        runs.retain(|run| run.observed == observed);
        page(
            &Results::default(),
            &Study::new(runs),
            &anomaly::Found::default(),
        )
        .into_string()
    };
    let (observed, bare) = (of(true), of(false));
    assert!(observed.contains("<figcaption>total with probes against scale</figcaption>"));
    assert_eq!(observed.matches("<figure>").count(), 18);
    // Without probes there is nothing but the total.
    assert!(bare.contains("<figcaption>total against scale</figcaption>"));
    assert_eq!(bare.matches("<figure>").count(), 6);
}

/// The luminance of a colour, as the guidelines for accessible content define it.
fn luminance(code: &str) -> f64 {
    let part = |at: usize| {
        let part = u8::from_str_radix(&code[at..at + 2], 16).unwrap();
        match f64::from(part) / 255.0 {
            dark if dark <= 0.04045 => dark / 12.92,
            light => ((light + 0.055) / 1.055).powf(2.4),
        }
    };
    0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn text_and_plots_stand_out_in_the_light_and_in_the_dark() {
    let style = super::STYLE.to_owned() + &super::palette::rules(8);
    let (light, dark): (Vec<&str>, Vec<&str>) = between(&style, ":root", "}")
        .partition(|block| block.contains("#ffffff") || block.contains("#0072B0"));
    for blocks in [light.concat(), dark.concat()] {
        let color = |name: &str| {
            let variable = format!("--{name}:");
            let code = between(&blocks, &variable, ";").next();
            let code = code.unwrap_or_else(|| panic!("no {name}"));
            code.trim().trim_start_matches('#').to_owned()
        };
        let (ink, paper) = (color("ink"), color("paper"));
        for name in ["ink", "dim", "link"] {
            assert!(contrast(&color(name), &paper) >= 4.5, "{name}");
        }
        for step in 0..7 {
            assert!(
                contrast(&ink, &color(&format!("h{step}"))) >= 4.5,
                "h{step}"
            );
        }
        for part in 0..4 {
            let part = color(&format!("part{part}"));
            assert!(contrast(&color("on-part"), &part) >= 4.5 && contrast(&part, &paper) >= 3.0);
        }
        for series in 0..8 {
            assert!(
                contrast(&color(&format!("s{series}")), &paper) >= 3.0,
                "s{series}"
            );
        }
    }
}
