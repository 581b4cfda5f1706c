//! `DISTANCE`: how far an address is from a place.
//!
//! Follows the *SOQL and SOSL Reference*, "Location-Based SOQL Queries". An address without latitude and
//! longitude is nowhere, and has no distance.

use super::plan::Path;
use super::view::{Entry, View};
use crate::value::Value;

/// The mean radius of the earth.
const EARTH_KM: f64 = 6_371.0;
const KM_PER_MILE: f64 = 1.609_344;

/// The unit of a distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// `'km'`
    Kilometers,
    /// `'mi'`
    Miles,
}

/// Latitude and longitude, in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Position {
    pub(super) latitude: f64,
    pub(super) longitude: f64,
}

/// Where a distance is measured to.
#[derive(Debug, Clone)]
pub(super) enum Place<'a> {
    /// `GEOLOCATION(37.8, -122.4)`
    At(Position),
    /// Another address.
    Field(Path<'a>),
}

/// A distance between an address and a place.
#[derive(Debug, Clone)]
pub(super) struct Distance<'a> {
    pub(super) from: Path<'a>,
    pub(super) to: Place<'a>,
    pub(super) unit: Unit,
}

impl<'a> View<'a> {
    /// Gives the distance for a record; nothing where one side is nowhere.
    pub(super) fn distance(&self, row: Entry<'a>, distance: &Distance<'_>) -> Value {
        let to = match &distance.to {
            Place::At(position) => Some(*position),
            Place::Field(path) => self.position(row, path),
        };
        let km = self
            .position(row, &distance.from)
            .zip(to)
            .map(|(from, to)| from.km_to(to));
        Value::from(km.map(|km| match distance.unit {
            Unit::Kilometers => km,
            Unit::Miles => km / KM_PER_MILE,
        }))
    }

    /// Gives where the address at the end of a path is.
    fn position(&self, row: Entry<'a>, path: &Path<'_>) -> Option<Position> {
        let mut row = row;
        for hop in &path.hops {
            row = self.follow(row, hop)?;
        }
        let address = row.object.field(path.leaf.name)?;
        let part = |word: &str| {
            let mut parts = address.parts(row.object);
            let field = parts.find(|part| part.name.contains(word))?;
            row.record.get(&field.name).as_number()
        };
        Some(Position {
            latitude: part("Latitude")?,
            longitude: part("Longitude")?,
        })
    }
}

impl Position {
    /// Gives the length of the great circle to another position, by the haversine formula.
    fn km_to(self, other: Self) -> f64 {
        let (from, to) = (self.latitude.to_radians(), other.latitude.to_radians());
        let half = |a: f64, b: f64| ((a - b) / 2.0).sin().powi(2);
        let longitudes = half(self.longitude.to_radians(), other.longitude.to_radians());
        let chord = half(from, to) + from.cos() * to.cos() * longitudes;
        2.0 * EARTH_KM * chord.sqrt().min(1.0).asin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_globe() {
        let at = |latitude, longitude| Position {
            latitude,
            longitude,
        };
        let (paris, new_york) = (at(48.8566, 2.3522), at(40.7128, -74.0060));
        for (from, to, km) in [
            (paris, paris, 0.0),
            (paris, new_york, 5_837.0),
            (new_york, paris, 5_837.0),
            (at(0.0, 179.5), at(0.0, -179.5), 111.2),
            (at(90.0, 0.0), at(-90.0, 0.0), 20_015.1),
        ] {
            assert!(
                (from.km_to(to) - km).abs() < 1.0,
                "{from:?} {to:?} {}",
                from.km_to(to)
            );
        }
    }
}
