//! Which list view is meant, and what it is.

use portcullis_sdk::Failure;
use portcullis_sdk::http::{Request, path};

use crate::client::{Client, ReadError};
use crate::fence;
use crate::json::Json;
use crate::names;
use crate::nearest::{Candidate, nearest};
use crate::repair::{Asked, repaired};

/// A list view, as the list has it.
pub(super) struct View {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) label: String,
}

impl View {
    pub(super) fn candidate(&self) -> Candidate<'_> {
        Candidate {
            name: &self.name,
            label: &self.label,
        }
    }
}

pub(super) fn near_names(near: &[Candidate<'_>]) -> Option<String> {
    (!near.is_empty()).then(|| format!("near names: {}", crate::nearest::listed(near)))
}

/// Reads a page of an object's views, and where the next begins.
pub(super) fn page(
    client: &Client<'_>,
    kind: &str,
    offset: Option<u32>,
) -> Result<(Vec<View>, Option<String>), Failure> {
    let version = client.version()?;
    let offset = offset.map(|offset| offset.to_string());
    let reply = client.read(|| {
        let request = Request::get(path!(
            "/services/data/{}/sobjects/{}/listviews",
            version,
            kind
        ));
        match &offset {
            Some(offset) => request.query(&[("offset", offset)]),
            None => request,
        }
    });
    let reply = reply.map_err(|error| without_views(client, error, kind))?;
    let views = reply.json.get("listviews").map_or(&[][..], Json::items);
    let text = |view: &Json, name: &str| view.str_at(name).unwrap_or_default().to_owned();
    let views: Vec<View> = views
        .iter()
        .map(|view| View {
            id: text(view, "id"),
            name: text(view, "developerName"),
            label: text(view, "label"),
        })
        .collect();
    let next = reply.json.str_at("nextRecordsUrl").and_then(|url| {
        let (_, offset) = url.split_once("offset=")?;
        Some(
            offset
                .chars()
                .take_while(char::is_ascii_digit)
                .collect::<String>(),
        )
    });
    Ok((views, next.filter(|next| !next.is_empty())))
}

/// An object that is not there is answered with the same words as one that has no views.
fn without_views(client: &Client<'_>, error: ReadError, kind: &str) -> Failure {
    let is_missing = matches!(&error, ReadError::Service(error) if error.is("NOT_FOUND"));
    if is_missing && client.describe(kind).is_ok() {
        return Failure::invalid(format!("`{kind}` has no list views"))
            .code("NOT_FOUND")
            .field("/object", "has no list views")
            .hint("query asks for its records");
    }
    let asked = Asked {
        query: None,
        kind: Some(kind),
        pointer: "/object",
    };
    repaired(client, error, asked)
}

/// What a view is.
pub(super) struct Described {
    /// Its id or API name.
    pub(super) name: String,
    pub(super) json: Json,
    /// Whether the host had it in memory, so that it may be up to a minute old.
    pub(super) from_memory: bool,
}

/// Reads what a view is, by its id or API name at once, else by its label.
pub(super) fn describe(
    client: &Client<'_>,
    kind: &str,
    wanted: &str,
) -> Result<Described, Failure> {
    if names::api_name(wanted, "/view").is_ok() || names::record_id(wanted).is_ok() {
        match described(client, kind, wanted, false) {
            Ok(view) => return Ok(view),
            Err(ReadError::Service(error)) if error.is("NOT_FOUND") => {}
            Err(error) => return Err(repaired(client, error, about_view())),
        }
    }
    let (views, _) = page(client, kind, None)?;
    let is_it = |view: &&View| {
        [&view.label, &view.name]
            .iter()
            .any(|text| text.eq_ignore_ascii_case(wanted))
    };
    let mut found = views.iter().filter(is_it);
    let problem = match (found.next(), found.next()) {
        (Some(view), None) => {
            return described(client, kind, &view.id, false)
                .map_err(|error| repaired(client, error, about_view()));
        }
        (Some(one), Some(other)) => {
            format!("is the label of several: `{}`, `{}`", one.name, other.name)
        }
        (None, _) => "names no list view".to_owned(),
    };
    let near = nearest(wanted, views.iter().map(View::candidate));
    let shown = fence::inline(wanted, 80);
    Err(
        Failure::not_found(format!("`{kind}` has no list view “{shown}”"))
            .field("/view", problem)
            .hint(
                near_names(&near).unwrap_or_else(|| {
                    format!("list_views lists them: {{\"object\": \"{kind}\"}}")
                }),
            ),
    )
}

pub(super) fn about_view() -> Asked<'static> {
    Asked {
        query: None,
        kind: None,
        pointer: "/view",
    }
}

/// Reads what the view of a name or id is; `anew`, as the org has it now.
///
/// # Errors
/// There is none (`NOT_FOUND`), or the org does not answer.
pub(super) fn described(
    client: &Client<'_>,
    kind: &str,
    view: &str,
    anew: bool,
) -> Result<Described, ReadError> {
    let version = client.version()?;
    let reply = client.read_description(anew, || {
        path!(
            "/services/data/{}/sobjects/{}/listviews/{}/describe",
            version,
            kind,
            view
        )
    })?;
    Ok(Described {
        name: view.to_owned(),
        json: reply.json,
        from_memory: reply.from_memory,
    })
}
