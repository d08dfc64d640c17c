//! The page: whole, small, and readable without seeing it.

use std::collections::BTreeSet;

use crate::report::anomaly::{self, Limits};
use crate::report::read::Results;
use crate::report::synthetic::{Planted, Synthetic};
use crate::report::tests::study;

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
