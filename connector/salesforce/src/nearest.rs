//! The names nearest to one that was not found: of objects, fields and relationships.
//!
//! A person or a model misspells a name, says the label instead, or forgets `__c`. All three are looked
//! for; the closest come first, and an exact match (without regard to case) before all.

/// How many names an answer proposes.
pub const NEAREST_MAX: usize = 5;

/// Longer words are compared by their first characters: names have at most 80, and the cost is quadratic.
const COMPARED_CHARS_MAX: usize = 80;

/// A name that exists, and what people call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// The API name.
    pub name: &'a str,
    /// The label; may be empty.
    pub label: &'a str,
}

/// Gives at most [`NEAREST_MAX`] candidates near to `wanted`, closest first.
///
/// The same input gives the same order: ties go by name.
pub fn nearest<'a>(
    wanted: &str,
    candidates: impl IntoIterator<Item = Candidate<'a>>,
) -> Vec<Candidate<'a>> {
    let wanted = folded(wanted);
    let mut best = Vec::with_capacity(NEAREST_MAX + 1);
    for candidate in candidates {
        consider(&mut best, &wanted, candidate);
    }
    best.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Puts a candidate among the best, if it is of them.
fn consider<'a>(best: &mut Vec<(usize, Candidate<'a>)>, wanted: &Folded, candidate: Candidate<'a>) {
    let Some(score) = score(wanted, candidate) else {
        return;
    };
    let place = best.partition_point(|(other, one)| (*other, one.name) <= (score, candidate.name));
    if place < NEAREST_MAX {
        best.insert(place, (score, candidate));
        best.truncate(NEAREST_MAX);
    }
}

/// Says the candidates in one line: `Name (Account Name), OwnerId (Owner ID)`.
pub fn listed(candidates: &[Candidate<'_>]) -> String {
    let said = candidates.iter().map(|candidate| {
        if candidate.label.is_empty() || candidate.label == candidate.name {
            format!("`{}`", candidate.name)
        } else {
            format!(
                "`{}` ({})",
                candidate.name,
                crate::fence::inline(candidate.label, 80)
            )
        }
    });
    said.collect::<Vec<_>>().join(", ")
}

/// Scores how far a candidate is; `None` where it has nothing to do with what was wanted.
fn score(wanted: &Folded, candidate: Candidate<'_>) -> Option<usize> {
    let name = folded(candidate.name);
    let label = folded(candidate.label);
    if name.whole == wanted.whole {
        return Some(0);
    }
    if name.bare == wanted.bare {
        return Some(1);
    }
    if !wanted.bare.is_empty() && label.bare == wanted.bare {
        return Some(2);
    }
    let by_distance = [&name, &label]
        .into_iter()
        .filter(|other| !other.bare.is_empty())
        .filter_map(|other| {
            let length = wanted.bare.len().max(other.bare.len());
            let distance = distance(&wanted.bare, &other.bare);
            // A third of the letters may differ: enough for slips, too little for other words.
            (distance <= (length / 3).max(1)).then_some(10 * distance)
        })
        .min();
    by_distance.or_else(|| contained(wanted, &name, &label))
}

/// Scores a candidate that contains the wanted word, or is contained in it, after all slips.
fn contained(wanted: &Folded, name: &Folded, label: &Folded) -> Option<usize> {
    // Two letters occur in everything.
    const SHARED_CHARS_MIN: usize = 3;
    const AFTER_SLIPS: usize = 10 * COMPARED_CHARS_MAX;
    [name, label]
        .into_iter()
        .filter(|other| other.bare.len().min(wanted.bare.len()) >= SHARED_CHARS_MIN)
        .filter(|other| holds(&other.bare, &wanted.bare) || holds(&wanted.bare, &other.bare))
        .map(|other| AFTER_SLIPS + other.bare.len().abs_diff(wanted.bare.len()))
        .min()
}

fn holds(whole: &[char], part: &[char]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

/// A word made comparable.
struct Folded {
    /// Lower case.
    whole: String,
    /// Letters and digits alone, without a custom name's suffix.
    bare: Vec<char>,
}

fn folded(word: &str) -> Folded {
    let whole = word.trim().to_lowercase();
    let stem = ["__c", "__r", "__mdt", "__e", "__x"]
        .into_iter()
        .find_map(|suffix| whole.strip_suffix(suffix))
        .unwrap_or(&whole);
    let bare = stem
        .chars()
        .filter(|c| c.is_alphanumeric())
        .take(COMPARED_CHARS_MAX)
        .collect();
    Folded { whole, bare }
}

/// Counts the insertions, deletions, substitutions and swaps of neighbours between two words (optimal
/// string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(x != y))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIELDS: &[(&str, &str)] = &[
        ("Id", "Account ID"),
        ("Name", "Account Name"),
        ("AnnualRevenue", "Annual Revenue"),
        ("NumberOfEmployees", "Employees"),
        ("Industry", "Industry"),
        ("BillingCity", "Billing City"),
        ("Region__c", "Sales Region"),
        ("OwnerId", "Owner ID"),
    ];

    fn near(wanted: &str) -> Vec<&'static str> {
        let candidates = FIELDS
            .iter()
            .map(|&(name, label)| Candidate { name, label });
        nearest(wanted, candidates)
            .into_iter()
            .map(|found| found.name)
            .collect()
    }

    #[test]
    fn slips_labels_and_suffixes_are_found() {
        assert_eq!(near("Nmae"), ["Name"]);
        assert_eq!(near("Industri"), ["Industry"]);
        assert_eq!(near("Employees"), ["NumberOfEmployees"]);
        assert_eq!(near("Region"), ["Region__c"]);
        assert_eq!(near("annual_revenue"), ["AnnualRevenue"]);
        assert_eq!(near("Revenue"), ["AnnualRevenue"]);
        assert_eq!(near("City"), ["BillingCity"]);
        assert_eq!(near("Zebra"), Vec::<&str>::new());
        assert_eq!(near(""), Vec::<&str>::new());
    }

    #[test]
    fn swapped_neighbours_are_one_slip() {
        let letters = |word: &str| word.chars().collect::<Vec<_>>();
        assert_eq!(distance(&letters("naem"), &letters("name")), 1);
        assert_eq!(distance(&letters(""), &letters("abc")), 3);
        assert_eq!(distance(&letters("kitten"), &letters("sitting")), 3);
    }

    #[test]
    fn a_line_names_labels_where_they_say_more() {
        let line = listed(&[
            Candidate {
                name: "Name",
                label: "Account\nName",
            },
            Candidate {
                name: "Industry",
                label: "Industry",
            },
        ]);
        assert_eq!(line, "`Name` (Account Name), `Industry`");
    }

    proptest! {
        #[test]
        fn never_panics_and_stays_bounded(wanted in any::<String>(), names in prop::collection::vec(any::<(String, String)>(), 0..20)) {
            let found = nearest(&wanted, names.iter().map(|(name, label)| Candidate { name, label }));
            prop_assert!(found.len() <= NEAREST_MAX);
        }

        #[test]
        fn an_exact_match_comes_first(names in prop::collection::btree_set("[A-Za-z][A-Za-z0-9_]{0,20}", 1..20), pick in any::<prop::sample::Index>()) {
            let names: Vec<_> = names.into_iter().collect();
            let wanted = pick.get(&names).to_uppercase();
            let found = nearest(&wanted, names.iter().map(|name| Candidate { name, label: "" }));
            prop_assert!(found[0].name.eq_ignore_ascii_case(&wanted));
        }
    }
}
