//! `TaskStatus`: a value of `Task.Status`, and whether it closes a task.

use crate::schema::*;

pub(super) fn object() -> Object {
    super::lead_status::status("TaskStatus", "Task Status Value", "01W")
        .with([checkbox("IsClosed", "Closed").system()])
        .with(audit())
}
