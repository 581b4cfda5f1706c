//! `/sobjects/{object}/listviews`: the list views of an object, what each is, and what it shows.

use http::Method;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::Call;
use crate::error::ApiError;
use crate::id::Id;
use crate::list_views::{ListView, select_item};
use crate::query::{self, Options};
use crate::schema::{FieldType, Object, Schema};
use crate::seen::Glance;
use crate::wire::Reply;

/// The rows of an answer, unless the client asks otherwise, and the most that it can ask for.
const ROWS: usize = 25;
const ROWS_MAX: usize = 2_000;

impl Call<'_> {
    /// Answers a path below `/sobjects/{object}/listviews`.
    pub(super) fn list_views(&self, object: &str, path: &[&str]) -> Result<Reply, ApiError> {
        if self.request.method != Method::GET {
            return Ok(Reply::not_allowed(&self.request.method, "GET,HEAD"));
        }
        let schema = self.session.schema();
        let object = self.named(object)?;
        if !object.layoutable {
            return Err(ApiError::not_found());
        }
        let body = match path {
            [] => self.list_of_views(object, "")?,
            ["recent"] => self.list_of_views(object, "AND LastViewedDate != NULL")?,
            [id] => self.view_entry(object, self.view(object, id)?),
            [id, "describe"] => self.describe_view(schema, object, id)?,
            [id, "results"] => self.view_results(schema, object, id)?,
            _ => return Err(ApiError::not_found()),
        };
        Ok(Reply::json(200, &body))
    }

    /// Lists the views of an object that a further condition leaves; the ones used last come first.
    fn list_of_views(&self, object: &Object, condition: &str) -> Result<Json, ApiError> {
        let soql = format!(
            "SELECT Id FROM ListView WHERE SobjectType = '{}' {condition} \
             ORDER BY LastViewedDate DESC NULLS LAST, Name",
            object.name
        );
        let rows = self.ask(&soql)?;
        let (limit, offset) = self.page_of_rows(ROWS_MAX)?;
        let entries: Vec<Json> = rows
            .iter()
            .filter_map(|row| Id::parse(row["Id"].as_str()?))
            .skip(offset)
            .take(limit)
            .filter_map(|id| {
                let org = self.shared.org();
                let view = ListView::of(org.store.get("ListView", id)?)?;
                Some(self.view_entry(object, (id, view)))
            })
            .collect();
        let next = offset.saturating_add(entries.len());
        let more = next < rows.len();
        let next_url = format!(
            "{}/sobjects/{}/listviews?limit={limit}&offset={next}",
            self.base, object.name
        );
        Ok(json!({
            "done": !more,
            "listviews": entries,
            "nextRecordsUrl": more.then_some(next_url),
            "size": entries.len(),
            "sobjectType": &*object.name,
        }))
    }

    /// Finds a view by its id, or by its developer name.
    fn view(&self, object: &Object, name: &str) -> Result<(Id, &'static ListView), ApiError> {
        let org = self.shared.org();
        // Some developer names are as long as ids.
        let found = match Id::parse(name).filter(|id| id.prefix() == "00B") {
            Some(id) => org.store.get("ListView", id),
            None => org.store.rows("ListView").find(|record| {
                record.get("DeveloperName").as_text() == Some(name)
                    && record.get("SobjectType").as_text() == Some(&object.name)
            }),
        };
        found
            .and_then(|record| Some((record.id, ListView::of(record)?)))
            .filter(|(_, view)| view.object == &*object.name)
            .ok_or_else(ApiError::not_found)
    }

    fn view_entry(&self, object: &Object, (id, view): (Id, &ListView)) -> Json {
        let own = format!("{}/sobjects/{}/listviews/{id}", self.base, object.name);
        json!({
            "describeUrl": format!("{own}/describe"),
            "developerName": view.developer_name,
            "id": id.as_str(),
            "label": view.label,
            "resultsUrl": format!("{own}/results"),
            "soqlCompatible": true,
            "url": own,
        })
    }

    fn describe_view(&self, schema: &Schema, object: &Object, id: &str) -> Result<Json, ApiError> {
        let (id, view) = self.view(object, id)?;
        let orders = view.orders(schema, object).into_iter();
        let orders: Vec<Json> = orders
            .map(|(field, descending)| {
                let (direction, nulls) = direction(descending);
                json!({
                    "fieldNameOrPath": field,
                    "nullsPosition": nulls,
                    "sortDirection": direction,
                })
            })
            .collect();
        let mut conditions: Vec<Json> = view
            .conditions
            .iter()
            .map(|condition| {
                let (operator, _) = condition.operator.words();
                json!({
                    "field": condition.field,
                    "operator": operator,
                    "values": [condition.value],
                })
            })
            .collect();
        let condition = match conditions.len() {
            1 => conditions.remove(0),
            _ => json!({"conditions": conditions, "conjunction": "and"}),
        };
        Ok(json!({
            "columns": columns(schema, object, view),
            "id": id.as_str(),
            "orderBy": orders,
            "query": view.soql(schema, object),
            "relatedEntityId": null,
            "scope": view.scope.unwrap_or("everything"),
            "scopeEntityId": null,
            "sobjectType": &*object.name,
            "whereCondition": condition,
        }))
    }

    /// Runs a view's query; that counts as looking at the view.
    fn view_results(&self, schema: &Schema, object: &Object, id: &str) -> Result<Json, ApiError> {
        let (id, view) = self.view(object, id)?;
        let (limit, offset) = self.page_of_rows(ROWS)?;
        let rows = self.ask(&view.soql(schema, object))?;
        let records: Vec<Json> = rows
            .iter()
            .skip(offset)
            .take(limit)
            .map(|row| record(schema, object, view, row))
            .collect();
        self.note_seen(id, Glance::View);
        Ok(json!({
            "columns": columns(schema, object, view),
            "developerName": view.developer_name,
            "done": offset.saturating_add(records.len()) >= rows.len(),
            "id": id.as_str(),
            "label": view.label,
            "records": records,
            "size": records.len(),
        }))
    }

    /// Asks a query as who sent the request, and gives all its rows.
    pub(super) fn ask(&self, soql: &str) -> Result<Vec<Json>, ApiError> {
        let options = Options {
            include_deleted: false,
            batch_size: ROWS_MAX,
            columns: false,
            base: self.base.clone(),
        };
        let answer = query::run(&self.shared.org(), &self.session, soql, options)?;
        Ok(answer.records)
    }

    /// Reads `limit` and `offset`.
    fn page_of_rows(&self, limit: usize) -> Result<(usize, usize), ApiError> {
        let number = |name: &str, default: usize| match self.request.param(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| {
                let message = format!("The {name} parameter must be a whole number: {text}");
                ApiError::bad_request("INVALID_QUERY_FILTER_OPERATOR", message)
            }),
        };
        let (limit, offset) = (number("limit", limit)?, number("offset", 0)?);
        if !(1..=ROWS_MAX).contains(&limit) {
            let message = format!("The limit parameter must be between 1 and {ROWS_MAX}");
            return Err(ApiError::bad_request("NUMBER_OUTSIDE_VALID_RANGE", message));
        }
        Ok((limit, offset))
    }
}

fn direction(descending: bool) -> (&'static str, &'static str) {
    match descending {
        true => ("descending", "last"),
        false => ("ascending", "first"),
    }
}

fn columns(schema: &Schema, object: &Object, view: &ListView) -> Vec<Json> {
    let columns = view.paths(schema, object).filter_map(|(path, hidden)| {
        let field = schema.field_at(object, path)?;
        let (ascending, descending) = match field.field_type {
            FieldType::Picklist | FieldType::Multipicklist => ("Low to High", "High to Low"),
            FieldType::Date | FieldType::Datetime => ("Old to New", "New to Old"),
            kind if kind.is_number() => ("Low to High", "High to Low"),
            FieldType::Phone => ("0-9", "9-0"),
            FieldType::Boolean => ("Unchecked to Checked", "Checked to Unchecked"),
            _ => ("A-Z", "Z-A"),
        };
        let orders = view.orders(schema, object);
        let place = orders.iter().position(|(field, _)| *field == path);
        // The labels name what a click would do next: an ascending column is turned round.
        Some(json!({
            "ascendingLabel": descending,
            "descendingLabel": ascending,
            "fieldNameOrPath": path,
            "hidden": hidden,
            "label": field.label,
            "selectListItem": select_item(object, path),
            "sortDirection": place.map(|at| direction(orders[at].1).0),
            "sortIndex": place,
            "sortable": field.sortable,
            "type": field.field_type.word(),
        }))
    });
    columns.collect()
}

/// Gives a row as a list of columns, whose values are texts.
fn record(schema: &Schema, object: &Object, view: &ListView, row: &Json) -> Json {
    let columns: Vec<Json> = view
        .paths(schema, object)
        .map(|(path, _)| {
            let kind = schema.field_at(object, path).map(|field| field.field_type);
            let mut value = row;
            for step in path.split('.') {
                value = &value[step];
            }
            json!({"fieldNameOrPath": path, "value": text(value, kind)})
        })
        .collect();
    json!({"columns": columns})
}

/// Writes a value of a list view: a moment as `Fri Aug 01 21:15:46 GMT 2014`.
fn text(value: &Json, kind: Option<FieldType>) -> Option<String> {
    match value {
        Json::Null => None,
        Json::String(text) if kind == Some(FieldType::Datetime) => {
            let moment = text.replace("+0000", "Z").parse::<Timestamp>().ok();
            let shown =
                moment.map(|moment| moment.strftime("%a %b %d %H:%M:%S GMT %Y").to_string());
            shown.or_else(|| Some(text.clone()))
        }
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
