//! Event: a meeting or call at a set time.

use super::{MONTHS, RECURRENCE_INSTANCES, RECURRENCE_TYPES, TIME_ZONES};
use crate::schema::*;

pub(super) fn object() -> Object {
    let mut event = crate::schema::object("Event", "Event", "Events", "00U")
        .with_files()
        .child("Event", "RecurrenceActivityId", "RecurringEvents")
        .scopes(&[
            ("everything", "All events"),
            ("mine", "My events"),
            ("delegated", "My delegated events"),
        ])
        .with(meeting())
        .with(sharing())
        .with(audit())
        .with([checkbox("IsArchived", "Archived").system()])
        .with(recurrence())
        .with(reminder())
        .with(second_recurrence());
    event.feed_enabled = true;
    event.mergeable = true;
    event
}

fn meeting() -> Vec<Field> {
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
            &["Call", "Email", "Meeting", "Send Letter/Quote", "Other"],
        )
        .standard()
        .name(),
        text("Location", "Location", 255),
        checkbox("IsAllDayEvent", "All-Day Event"),
        datetime("ActivityDateTime", "Due Date Time").standard(),
        date("ActivityDate", "Due Date Only")
            .standard()
            .queryable(true, true, true, false),
        whole("DurationInMinutes", "Duration", 8).standard(),
        datetime("StartDateTime", "Start Date Time").standard(),
        datetime("EndDateTime", "End Date Time").standard(),
        date("EndDate", "End Date").system(),
        long_text("Description", "Description", 32_000),
        reference("AccountId", "Account ID", &["Account"]).system(),
    ]
}

fn sharing() -> Vec<Field> {
    vec![
        owner("Assigned To ID", &["Calendar", "User"]),
        checkbox("IsPrivate", "Private").standard(),
        picklist(
            "ShowAs",
            "Show Time As",
            40,
            &["Busy*", "OutOfOffice=Out of Office", "Free"],
        )
        .restricted()
        .standard(),
        is_deleted(),
        checkbox("IsChild", "Is Child").system(),
        checkbox("IsGroupEvent", "Is Group Event").system(),
        picklist(
            "GroupEventType",
            "Group Event Type",
            40,
            &[
                "0=Non-group Event*",
                "1=Group Event",
                "2=Proposed Event",
                "3=IsRecurrence2 Series Pattern",
            ],
        )
        .restricted()
        .system(),
    ]
}

fn recurrence() -> Vec<Field> {
    vec![
        reference("RecurrenceActivityId", "Recurrence Activity ID", &["Event"])
            .system()
            .parent(""),
        checkbox("IsRecurrence", "Create Recurring Series of Events")
            .standard()
            .create_only(),
        datetime("RecurrenceStartDateTime", "Recurrence Start").standard(),
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
    ]
}

fn reminder() -> Vec<Field> {
    vec![
        datetime("ReminderDateTime", "Reminder Date/Time").standard(),
        checkbox("IsReminderSet", "Reminder Set").standard(),
        picklist("EventSubtype", "Event Subtype", 40, &["Event"])
            .restricted()
            .standard()
            .create_only(),
    ]
}

fn second_recurrence() -> Vec<Field> {
    vec![
        checkbox(
            "IsRecurrence2Exclusion",
            "Historical Event, Not Following Recurrence",
        )
        .system(),
        long_text("Recurrence2PatternText", "Recurrence Pattern", 512)
            .standard()
            .create_only(),
        picklist(
            "Recurrence2PatternVersion",
            "Pattern Version",
            40,
            &["1=RFC 5545 v4 RRULE", "2=RFC 5545 v4_2 RRULE"],
        )
        .restricted()
        .system(),
        checkbox("IsRecurrence2", "Repeat").system(),
        checkbox("IsRecurrence2Exception", "Is Exception").system(),
        datetime(
            "Recurrence2PatternStartDate",
            "Recurrence Pattern Start Date",
        )
        .system(),
        text(
            "Recurrence2PatternTimeZone",
            "Recurrence Pattern Time Zone Reference",
            255,
        )
        .system(),
    ]
}
