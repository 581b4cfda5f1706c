//! Task: something to do by a day.

use super::{MONTHS, RECURRENCE_INSTANCES, RECURRENCE_TYPES, TIME_ZONES};
use crate::schema::*;

/// The value of `Status` that closes a task.
pub(crate) const COMPLETED_STATUS: &str = "Completed";

pub(super) fn object() -> Object {
    crate::schema::object("Task", "Task", "Tasks", "00T")
        .with_files()
        .child("Task", "RecurrenceActivityId", "RecurringTasks")
        .scopes(&[
            ("everything", "All tasks"),
            ("mine", "My tasks"),
            ("delegated", "My delegated tasks"),
        ])
        .with(work())
        .with(audit())
        .with([checkbox("IsArchived", "Archived").system()])
        .with(call())
        .with(recurrence())
}

fn work() -> Vec<Field> {
    vec![
        id("Activity ID"),
        reference("WhoId", "Name ID", &["Contact", "Lead"]),
        reference(
            "WhatId",
            "Related To ID",
            &["Account", "Campaign", "Case", "Opportunity"],
        ),
        combobox(
            "Subject",
            "Subject",
            255,
            &["Call", "Send Letter", "Send Quote", "Other"],
        )
        .name(),
        date("ActivityDate", "Due Date Only"),
        picklist(
            "Status",
            "Status",
            255,
            &[
                "Not Started*",
                "In Progress",
                COMPLETED_STATUS,
                "Waiting on someone else",
                "Deferred",
            ],
        )
        .standard()
        .required(),
        picklist("Priority", "Priority", 255, &["High", "Normal*", "Low"])
            .standard()
            .required(),
        checkbox("IsHighPriority", "High Priority").system(),
        owner("Assigned To ID", &["Group", "User"]),
        long_text("Description", "Description", 32_000),
        is_deleted(),
        reference("AccountId", "Account ID", &["Account"]).system(),
        checkbox("IsClosed", "Closed").system(),
    ]
}

fn call() -> Vec<Field> {
    vec![
        whole("CallDurationInSeconds", "Call Duration", 8),
        picklist(
            "CallType",
            "Call Type",
            40,
            &["Internal", "Inbound", "Outbound"],
        )
        .restricted(),
        text("CallDisposition", "Call Result", 255),
        text("CallObject", "Call Object Identifier", 255),
        datetime("ReminderDateTime", "Reminder Date/Time").standard(),
        checkbox("IsReminderSet", "Reminder Set").standard(),
        picklist(
            "TaskSubtype",
            "Task Subtype",
            40,
            &[
                "Task",
                "Email",
                "ListEmail=List Email",
                "Cadence",
                "Call",
                "LinkedIn",
            ],
        )
        .restricted()
        .standard()
        .create_only()
        .defaulted(),
        datetime("CompletedDateTime", "Completed Date").system(),
    ]
}

fn recurrence() -> Vec<Field> {
    vec![
        reference("RecurrenceActivityId", "Recurrence Activity ID", &["Task"])
            .system()
            .parent(""),
        checkbox("IsRecurrence", "Create Recurring Series of Tasks")
            .standard()
            .create_only(),
        date("RecurrenceStartDateOnly", "Recurrence Start").standard(),
        date("RecurrenceEndDateOnly", "Recurrence End").standard(),
        picklist(
            "RecurrenceTimeZoneSidKey",
            "Recurrence Time Zone",
            40,
            &TIME_ZONES,
        )
        .restricted()
        .standard(),
        picklist("RecurrenceType", "Recurrence Type", 40, &RECURRENCE_TYPES)
            .restricted()
            .standard(),
        whole("RecurrenceInterval", "Recurrence Interval", 9).standard(),
        whole("RecurrenceDayOfWeekMask", "Recurrence Day of Week Mask", 9).standard(),
        whole("RecurrenceDayOfMonth", "Recurrence Day of Month", 9).standard(),
        picklist(
            "RecurrenceInstance",
            "Recurrence Instance",
            40,
            &RECURRENCE_INSTANCES,
        )
        .restricted()
        .standard(),
        picklist(
            "RecurrenceMonthOfYear",
            "Recurrence Month of Year",
            40,
            &MONTHS,
        )
        .restricted()
        .standard(),
        picklist(
            "RecurrenceRegeneratedType",
            "Repeat This Task",
            40,
            &[
                "None",
                "RecurrenceRegenerateAfterDueDate=After due date",
                "RecurrenceRegenerateAfterToday=After date completed",
                "RecurrenceRegenerated=(Task Closed)",
            ],
        )
        .restricted()
        .standard(),
    ]
}
