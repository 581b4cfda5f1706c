//! Sorting, by one piece of code for everything that is sorted.
//!
//! The standard library's is made anew for each type, by three kilobytes each time, and all that is sorted here is short.

use std::cmp::Ordering;

/// Sorts; what is equal stays in its order.
pub fn sort<T: Ord>(items: &mut Vec<T>) {
    sort_by(items, T::cmp);
}

/// Sorts, and leaves what is there several times once.
pub fn sort_once<T: Ord>(items: &mut Vec<T>) {
    sort(items);
    items.dedup();
}

/// Sorts by what `compare` says; what is equal stays in its order.
pub fn sort_by<T>(items: &mut Vec<T>, compare: impl Fn(&T, &T) -> Ordering) {
    let places = places(items.len(), &|one, other| {
        compare(&items[one], &items[other])
    });
    let mut unsorted: Vec<Option<T>> = items.drain(..).map(Some).collect();
    items.extend(
        places
            .into_iter()
            .filter_map(|place| unsorted[place].take()),
    );
}

/// Gives the places of so many items, sorted.
fn places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_by(|one, other| compare(*one, *other));
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(items: Vec<(u8, u8)>) {
            let (mut ours, mut theirs) = (items.clone(), items.clone());
            sort_by(&mut ours, |one, other| one.0.cmp(&other.0));
            theirs.sort_by_key(|one| one.0);
            prop_assert_eq!(&ours, &theirs);
            sort_once(&mut ours);
            theirs.sort();
            theirs.dedup();
            prop_assert_eq!(ours, theirs);
        }
    }
}
