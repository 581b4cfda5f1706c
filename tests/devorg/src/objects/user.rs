//! User: somebody who signs in.

use super::TIME_ZONES;
use crate::schema::*;

pub(super) fn object() -> Object {
    let mut user = crate::schema::object("User", "User", "Users", "005")
        .child("Case", "OwnerId", "")
        .with_files()
        .child("Lead", "OwnerId", "")
        .child("User", "DelegatedApproverId", "DelegatedUsers")
        .child("User", "ManagerId", "ManagedUsers")
        .scopes(&[("everything", "All users")])
        .with(identity())
        .with(address(""))
        .with(reach())
        .with(settings())
        .with(sign_in())
        .with(audit())
        .with(preferences())
        .with(portal())
        .with(profile_page())
        .with(last_seen());
    user.deletable = false;
    user.undeletable = false;
    user.feed_enabled = true;
    user
}

fn identity() -> Vec<Field> {
    vec![
        id("User ID"),
        text("Username", "Username", 80)
            .standard()
            .required()
            .lookup(),
        text("LastName", "Last Name", 80)
            .standard()
            .required()
            .part_of("Name"),
        text("FirstName", "First Name", 40)
            .standard()
            .part_of("Name"),
        text("Name", "Full Name", 121).system().required().name(),
        text("CompanyName", "Company Name", 80),
        text("Division", "Division", 80),
        text("Department", "Department", 80),
        text("Title", "Title", 80),
    ]
}

fn reach() -> Vec<Field> {
    vec![
        Field {
            length: 128,
            ..email("Email", "Email").standard().required().lookup()
        },
        checkbox("EmailPreferencesAutoBcc", "AutoBcc").standard(),
        checkbox("EmailPreferencesAutoBccStayInTouch", "AutoBccStayInTouch").standard(),
        checkbox("EmailPreferencesStayInTouchReminder", "StayInTouchReminder").standard(),
        email("SenderEmail", "Email Sender Address"),
        text("SenderName", "Email Sender Name", 80),
        long_text("Signature", "Email Signature", 1_333),
        text("StayInTouchSubject", "Stay-in-Touch Email Subject", 80).standard(),
        long_text("StayInTouchSignature", "Stay-in-Touch Email Signature", 512).standard(),
        long_text("StayInTouchNote", "Stay-in-Touch Email Note", 512).standard(),
        phone("Phone", "Phone"),
        phone("Fax", "Fax"),
        phone("MobilePhone", "Mobile"),
        text("Alias", "Alias", 8).standard().required(),
        text("CommunityNickname", "Nickname", 40)
            .standard()
            .required()
            .defaulted(),
        text("BadgeText", "User Photo badge text overlay", 80).system(),
        checkbox("IsActive", "Active").standard(),
    ]
}

fn settings() -> Vec<Field> {
    let locales = [
        "de_DE=German (Germany)",
        "en_GB=English (United Kingdom)",
        "en_US=English (United States)",
        "ja_JP=Japanese (Japan)",
    ];
    let languages = ["en_US=English", "de=German", "ja=Japanese"];
    let encodings = [
        "UTF-8=Unicode (UTF-8)",
        "ISO-8859-1=General US & Western Europe (ISO-8859-1, ISO-LATIN-1)",
    ];
    let setting = |field: Field| field.restricted().standard().required();
    vec![
        setting(picklist("TimeZoneSidKey", "Time Zone", 40, &TIME_ZONES)),
        reference("UserRoleId", "Role ID", &["UserRole"]).standard(),
        setting(picklist("LocaleSidKey", "Locale", 40, &locales)),
        checkbox("ReceivesInfoEmails", "Info Emails").standard(),
        checkbox("ReceivesAdminInfoEmails", "Admin Info Emails").standard(),
        setting(picklist(
            "EmailEncodingKey",
            "Email Encoding",
            40,
            &encodings,
        )),
        reference("ProfileId", "Profile ID", &["Profile"])
            .standard()
            .required(),
        picklist(
            "UserType",
            "User Type",
            40,
            &["Standard", "PowerPartner=Partner", "Guest"],
        )
        .restricted()
        .system(),
        setting(picklist("LanguageLocaleKey", "Language", 40, &languages)),
        text("EmployeeNumber", "Employee Number", 20),
        reference(
            "DelegatedApproverId",
            "Delegated Approver ID",
            &["Group", "User"],
        )
        .parent(""),
        reference("ManagerId", "Manager ID", &["User"]),
    ]
}

fn sign_in() -> Vec<Field> {
    vec![
        datetime("LastLoginDate", "Last Login").system(),
        datetime("LastPasswordChangeDate", "Last Password Change or Reset").system(),
    ]
}

fn preferences() -> Vec<Field> {
    [
        ("UserPermissionsMarketingUser", "Marketing User"),
        ("UserPermissionsOfflineUser", "Offline User"),
        ("UserPermissionsKnowledgeUser", "Knowledge User"),
        ("UserPermissionsSupportUser", "Service Cloud User"),
        ("ForecastEnabled", "Allow Forecasting"),
        (
            "UserPreferencesActivityRemindersPopup",
            "ActivityRemindersPopup",
        ),
        (
            "UserPreferencesEventRemindersCheckboxDefault",
            "EventRemindersCheckboxDefault",
        ),
        (
            "UserPreferencesTaskRemindersCheckboxDefault",
            "TaskRemindersCheckboxDefault",
        ),
        (
            "UserPreferencesLightningExperiencePreferred",
            "LightningExperiencePreferred",
        ),
    ]
    .map(|(name, label)| checkbox(name, label).standard())
    .into()
}

fn portal() -> Vec<Field> {
    vec![
        reference("ContactId", "Contact ID", &["Contact"])
            .standard()
            .create_only(),
        reference("AccountId", "Account ID", &["Account"]).system(),
        reference("CallCenterId", "Call Center ID", &["CallCenter"])
            .standard()
            .parent(""),
        phone("Extension", "Extension"),
        text("FederationIdentifier", "SAML Federation ID", 512).standard(),
        long_text("AboutMe", "About Me", 1_000),
    ]
}

fn profile_page() -> Vec<Field> {
    let picture = |name, label| Field {
        length: 1_024,
        ..url(name, label).info("imageurl").system()
    };
    let frequencies = ["D=Daily*", "W=Weekly", "N=Never"];
    vec![
        picture("FullPhotoUrl", "Url for full-sized Photo"),
        picture("SmallPhotoUrl", "Photo"),
        checkbox("IsExtIndicatorVisible", "Show external indicator").system(),
        text("OutOfOfficeMessage", "Out of office message", 40).system(),
        picture("MediumPhotoUrl", "Url for medium profile photo"),
        picklist(
            "DigestFrequency",
            "Chatter Email Highlights Frequency",
            40,
            &frequencies,
        )
        .restricted()
        .standard()
        .required(),
        picklist(
            "DefaultGroupNotificationFrequency",
            "Default Notification Frequency when Joining Groups",
            40,
            &[
                "P=Email on Each Post",
                "D=Daily Digests",
                "W=Weekly Digests",
                "N=Never*",
            ],
        )
        .restricted()
        .standard()
        .required(),
        picture("BannerPhotoUrl", "Url for banner photo"),
        checkbox("IsProfilePhotoActive", "Has Profile Photo").system(),
        reference("IndividualId", "Individual ID", &["Individual"]).standard(),
    ]
}
