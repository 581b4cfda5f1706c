//! Which declared route a request takes, and how far that reaches.
//!
//! A service may see no difference between `/sobjects`, `/SObjects` and `/sobjects%20`, the gate does: so a parameter
//! never takes a segment that is, but for the case of its letters and the spaces and dots around it, a
//! literal of a route beside it.

use crate::{Effect, Method, Operation, Origin, Problem, RequestPath, RouteSpec};

/// Why a request takes no route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteRefusal {
    /// No route has this path.
    #[error("no route has this path")]
    UnknownPath,
    /// The path is known, with other methods.
    #[error("the route does not declare this method")]
    MethodNotDeclared,
    /// The path carries several operations, and which one it is stands in the body.
    #[error("which operation it is stands in its body")]
    ByOperation,
    /// The path carries operations, and this is none of them.
    #[error("the route does not declare this operation")]
    OperationNotDeclared,
}

/// The route that a request takes.
#[derive(Clone, Debug)]
pub struct Match<'t> {
    /// The route.
    pub route: &'t RouteSpec,
    /// How far the request reaches: as the route declares, and at least as its method.
    pub effect: Effect,
    /// The parameters of the path, decoded, in their order.
    pub params: Vec<(String, String)>,
}

impl Match<'_> {
    /// Gives the kind of record that the path names, where the route says which segment it is.
    pub fn kind(&self) -> Option<&str> {
        self.param("kind")
    }

    /// Gives the id of the record that the path names, where the route says which segment it is.
    pub fn id(&self) -> Option<&str> {
        self.param("id")
    }

    /// Gives the field by which the path finds a record, and its value, where the path has `{field}` and `{value}`.
    pub fn key(&self) -> Option<(&str, &str)> {
        Some((self.param("field")?, self.param("value")?))
    }

    fn param(&self, wanted: &str) -> Option<&str> {
        let (_, value) = self.params.iter().find(|(name, _)| name == wanted)?;
        Some(value)
    }

    /// Gives the route's template.
    pub fn template(&self) -> &str {
        &self.route.path
    }
}

/// The routes of a manifest.
#[derive(Clone, Debug)]
pub struct RouteTable {
    routes: Vec<Route>,
}

#[derive(Clone, Debug)]
struct Route {
    spec: RouteSpec,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter(String),
}

impl Segment {
    /// Says whether a segment of a path fits; literals compare exactly.
    fn takes(&self, text: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == text,
            Self::Parameter(_) => true,
        }
    }

    fn is_literal(&self) -> bool {
        matches!(self, Self::Literal(_))
    }
}

impl RouteTable {
    /// Makes a table of declared routes.
    ///
    /// # Errors
    ///
    /// Every [`Problem`] of the templates, and every route that is declared twice.
    pub fn new(specs: &[RouteSpec]) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut routes: Vec<Route> = Vec::new();
        for (index, spec) in specs.iter().enumerate() {
            let pointer = format!("/routes/{index}/path");
            let segments = match template(&spec.path) {
                Ok(segments) => segments,
                Err(problem) => {
                    problems.push(Problem { pointer, problem });
                    continue;
                }
            };
            let route = Route {
                spec: spec.clone(),
                segments,
            };
            if let Some(other) = routes.iter().find(|other| other.equals(&route)) {
                let problem = format!("it is the same request as `{}`", other.spec.path);
                problems.push(Problem { pointer, problem });
            }
            routes.push(route);
        }
        match problems.is_empty() {
            true => Ok(Self { routes }),
            false => Err(problems),
        }
    }

    /// Finds the route of a request: to the connection's origin, or to `named`, which the manifest names
    /// in full. The most specific one takes it: a literal goes before a parameter, from left to right. `operation` is the one in its
    /// body, which is not looked for before the path is known to carry some.
    ///
    /// # Errors
    ///
    /// [`RouteRefusal`]; of it [`RouteRefusal::ByOperation`] asks to be called again with the operation.
    pub fn find<'t>(
        &'t self,
        named: Option<&Origin>,
        method: Method,
        path: &RequestPath,
        operation: Option<&Operation>,
    ) -> Result<Match<'t>, RouteRefusal> {
        let segments = path.segments();
        let here = || {
            self.routes
                .iter()
                .filter(|route| route.spec.origin.as_ref() == named)
        };
        let mut fitting: Vec<&Route> = here()
            .filter(|route| route.takes(segments) && !shadows(here(), route, segments))
            .collect();
        // From left to right, `false` (a literal) sorts before `true` (a parameter).
        fitting.sort_by_key(|route| {
            let parameters = route.segments.iter().map(|segment| !segment.is_literal());
            parameters.collect::<Vec<bool>>()
        });
        let most_specific = fitting.first().ok_or(RouteRefusal::UnknownPath)?;
        // What is declared for a literal is not to be had by the parameter that also fits.
        let mut declared = fitting
            .iter()
            .take_while(|route| route.is_as_specific_as(most_specific))
            .filter(|route| route.spec.methods.contains(&method))
            .peekable();
        let first = declared.peek().ok_or(RouteRefusal::MethodNotDeclared)?;
        // No two routes of one path and method have it, unless all have an operation.
        if first.spec.operation.is_some() && operation.is_none() {
            return Err(RouteRefusal::ByOperation);
        }
        let route = declared
            .find(|route| route.spec.operation.as_ref() == operation)
            .ok_or(RouteRefusal::OperationNotDeclared)?;
        Ok(Match {
            route: &route.spec,
            effect: route.spec.effect.max(method.floor()),
            params: route.parameters(segments),
        })
    }
}

/// Says whether one of the parameters of `route` would take a segment that a lenient service reads as
/// a literal of a route that fits so far.
fn shadows<'t>(
    mut others: impl Iterator<Item = &'t Route>,
    route: &Route,
    segments: &[String],
) -> bool {
    others.any(|other| {
        let pairs = route.segments.iter().zip(&other.segments).zip(segments);
        for ((mine, theirs), text) in pairs {
            match (mine, theirs) {
                (Segment::Parameter(_), Segment::Literal(literal))
                    if literal != text && equal_leniently(literal, text) =>
                {
                    return true;
                }
                (_, Segment::Literal(literal)) if !equal_leniently(literal, text) => {
                    return false;
                }
                _ => {}
            }
        }
        false
    })
}

/// Compares as lenient services do: without case, also where Unicode folds a letter into an ASCII one, and
/// without the spaces and dots around it, which some file systems and servers drop.
pub(crate) fn equal_leniently(a: &str, b: &str) -> bool {
    let [a, b] =
        [a, b].map(|text| text.trim_matches(|char: char| char.is_whitespace() || char == '.'));
    match a.is_ascii() && b.is_ascii() {
        true => a.eq_ignore_ascii_case(b),
        false => a.to_uppercase().to_lowercase() == b.to_uppercase().to_lowercase(),
    }
}

impl Route {
    fn takes(&self, segments: &[String]) -> bool {
        self.segments.len() == segments.len()
            && self
                .segments
                .iter()
                .zip(segments)
                .all(|(mine, text)| mine.takes(text))
    }

    fn is_as_specific_as(&self, other: &Self) -> bool {
        let places = self.segments.iter().zip(&other.segments);
        places
            .into_iter()
            .all(|(a, b)| a.is_literal() == b.is_literal())
    }

    fn equals(&self, other: &Self) -> bool {
        let same_path = self.segments.len() == other.segments.len()
            && self
                .segments
                .iter()
                .zip(&other.segments)
                .all(|(a, b)| match (a, b) {
                    (Segment::Literal(a), Segment::Literal(b)) => equal_leniently(a, b),
                    (a, b) => a.is_literal() == b.is_literal(),
                });
        let methods = &other.spec.methods;
        let same_operation = match (&self.spec.operation, &other.spec.operation) {
            (Some(mine), Some(theirs)) => mine == theirs,
            // One that has none would take what the other's operations are for.
            _ => true,
        };
        same_path
            && same_operation
            && self.spec.origin == other.spec.origin
            && self
                .spec
                .methods
                .iter()
                .any(|method| methods.contains(method))
    }

    fn parameters(&self, segments: &[String]) -> Vec<(String, String)> {
        self.segments
            .iter()
            .zip(segments)
            .filter_map(|(mine, text)| match mine {
                Segment::Parameter(name) => Some((name.clone(), text.clone())),
                Segment::Literal(_) => None,
            })
            .collect()
    }
}

/// Says whether a request may go by the template `other` where there is no route `gone` any more: because both take it, or because
/// a literal of `gone` kept what is spelled nearly so from a parameter of `other`, whatever stands behind. What is no template
/// counts as one that does.
pub(crate) fn stands_before(gone: &str, other: &str) -> bool {
    let (Ok(gone), Ok(other)) = (template(gone), template(other)) else {
        return true;
    };
    for pair in gone.iter().zip(&other) {
        match pair {
            (Segment::Literal(a), Segment::Literal(b)) if !equal_leniently(a, b) => return false,
            (Segment::Literal(_), Segment::Parameter(_)) => return true,
            _ => {}
        }
    }
    gone.len() == other.len()
}

/// Takes a template apart: `/services/data/{version}/query`.
fn template(text: &str) -> Result<Vec<Segment>, String> {
    let segments: Vec<&str> = match text.strip_prefix('/') {
        Some("") => Vec::new(),
        Some(rest) => rest.split('/').collect(),
        None => return Err(format!("`{text}` must begin with `/`")),
    };
    let mut names: Vec<String> = Vec::new();
    segments
        .into_iter()
        .map(|segment| {
            let inner = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            let Some(name) = inner else {
                return literal(segment);
            };
            let is_name = !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            if !is_name {
                return Err(format!(
                    "`{segment}` must be lower-case letters and underscores in braces"
                ));
            }
            if names.iter().any(|known| known == name) {
                return Err(format!("`{segment}` is there twice"));
            }
            names.push(name.to_owned());
            Ok(Segment::Parameter(name.to_owned()))
        })
        .collect()
}

fn literal(segment: &str) -> Result<Segment, String> {
    let is_plain = !segment.is_empty()
        && segment != "."
        && segment != ".."
        && segment.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~' | b':' | b'@')
        });
    match is_plain {
        true => Ok(Segment::Literal(segment.to_owned())),
        false => Err(format!(
            "`{segment}` must be letters, digits and `.-_~:@`, or a whole `{{parameter}}`"
        )),
    }
}

#[cfg(test)]
#[path = "route/tests.rs"]
mod tests;
