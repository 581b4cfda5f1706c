//! `DISTANCE(address, GEOLOCATION(latitude, longitude), unit)`.

use soql::{Argument, FunctionCall, Value};

use super::Binder;
use super::from::Scope;
use super::literal::string;
use crate::error::ApiError;
use crate::query::distance::{Distance, Place, Position, Unit};
use crate::query::plan::{Expr, Operand, Path};
use crate::schema::FieldType;

impl<'a> Binder<'a, '_> {
    /// Resolves a distance.
    pub(super) fn distance(
        &self,
        call: &FunctionCall,
        scope: &Scope<'a>,
    ) -> Result<Operand<'a>, ApiError> {
        let [Argument::Field(from), to, Argument::Value(unit)] = call.args.as_slice() else {
            let reason = "DISTANCE() takes a location field, a location and a unit";
            return Err(self.source.malformed(call.span, reason));
        };
        let from = self.located(call, self.path(from, scope)?)?;
        let to = match to {
            Argument::Field(path) => Place::Field(self.located(call, self.path(path, scope)?)?),
            Argument::Function(inner) if inner.name.is("GEOLOCATION") => {
                Place::At(self.position(inner)?)
            }
            _ => {
                let reason = "DISTANCE() takes a location field or GEOLOCATION() to measure to";
                return Err(self.source.malformed(call.span, reason));
            }
        };
        let word = string(unit).map(|unit| unit.text().to_lowercase());
        let unit = match word.as_deref() {
            Some("km") => Unit::Kilometers,
            Some("mi") => Unit::Miles,
            _ => {
                let reason = "The unit of DISTANCE() must be 'mi' or 'km'";
                return Err(self.source.malformed(call.span, reason));
            }
        };
        Ok(Operand {
            kind: FieldType::Double,
            name: format!("DISTANCE({})", from.leaf.name),
            field: None,
            expr: Expr::Distance(Box::new(Distance { from, to, unit })),
        })
    }

    fn located(&self, call: &FunctionCall, path: Path<'a>) -> Result<Path<'a>, ApiError> {
        if path.leaf.kind.is_compound() {
            return Ok(path);
        }
        let reason = format!(
            "field {} does not support function DISTANCE",
            path.leaf.name
        );
        Err(self.source.malformed(call.span, reason))
    }

    fn position(&self, call: &FunctionCall) -> Result<Position, ApiError> {
        let degrees = |argument: &Argument, max: f64| {
            let number = match argument {
                Argument::Value(Value::Integer(number)) => Some(*number as f64),
                Argument::Value(Value::Decimal(text)) => text.parse().ok(),
                _ => None,
            };
            number.filter(|number: &f64| number.abs() <= max)
        };
        let position = match call.args.as_slice() {
            [latitude, longitude] => degrees(latitude, 90.0).zip(degrees(longitude, 180.0)),
            _ => None,
        };
        let position = position.map(|(latitude, longitude)| Position {
            latitude,
            longitude,
        });
        position.ok_or_else(|| {
            let reason =
                "GEOLOCATION() takes a latitude from -90 to 90 and a longitude from -180 to 180";
            self.source.malformed(call.span, reason)
        })
    }
}
