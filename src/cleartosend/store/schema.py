"""Every table, for every engine."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)

# SQLite numbers rows by itself only for a column of the type INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("settings", JSON, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("created_at", Float, nullable=False),
)

account_events = Table(
    "account_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, nullable=False, index=True),
    Column("status", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("at", Float, nullable=False),
)

apps = Table(
    "apps",
    metadata,
    Column("sdk_app_id", Text, primary_key=True),
    Column("account_id", Id, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("settings", JSON, nullable=False, server_default="{}"),
)

credentials = Table(
    "credentials",
    metadata,
    Column("secret_id", Text, primary_key=True),
    Column("account_id", Id, nullable=False, index=True),
    Column("sealed_key", LargeBinary, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
)

signatures = Table(
    "signatures",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("sign_type", SmallInteger, nullable=False),
    Column("document_type", SmallInteger, nullable=False),
    Column("international", Boolean, nullable=False),
    Column("for_another", Boolean, nullable=False),
    Column("remark", Text, nullable=False),
    Column("qualification_id", BigInteger),
    Column("state", Text, nullable=False, index=True),
    Column("reply", Text, nullable=False),
    Column("created_at", Float, nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("signature_id", Id, primary_key=True),
    Column("proof_image", LargeBinary, nullable=False),
    Column("commission_image", LargeBinary, nullable=False),
)

templates = Table(
    "templates",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("international", Boolean, nullable=False),
    Column("remark", Text, nullable=False),
    Column("state", Text, nullable=False, index=True),
    Column("reply", Text, nullable=False),
    Column("created_at", Float, nullable=False),
)

review_events = Table(
    "review_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("move", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("rulebook", Text, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("text", Text, nullable=False),
    Index(None, "subject", "subject_id"),
)

members = Table(
    "members",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("since", Float, nullable=False),
    # The import that brought it; 0: none did.
    Column("import_id", Id, nullable=False, server_default="0", index=True),
)

# A list that is being read in counts only once all of it is there.
member_imports = Table(
    "member_imports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, nullable=False, index=True),
    Column("file", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("new_members", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("started_at", Float, nullable=False),
    # When it last wrote something: one that has been silent for long is dead.
    Column("alive_at", Float, nullable=False),
    Column("ended_at", Float),
)

# Who is not to be reached. An empty signature or type stands for every one, and account 0 for every account.
opt_outs = Table(
    "opt_outs",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("signature", Text, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("at", Float, nullable=False),
    Column("source", Text, nullable=False, server_default="reply"),
    # Asked for by number: an account's own and everybody's at once.
    Index(None, "number", "account_id"),
)

# Every change of who may be reached, kept for good.
consent_events = Table(
    "consent_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, nullable=False),
    Column("number", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("change", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index(None, "number", "at"),
)

# A place is room for one more message to a number in a window of time.
places = Table(
    "places",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("number", Text, primary_key=True),
    Column("limit", Text, primary_key=True),
    Column("content", BigInteger, primary_key=True),
    Column("cap", Integer, nullable=False),
    Column("times", Integer, nullable=False),
    Column("since", Float, nullable=False),
    Column("until", Float, nullable=False, index=True),
)

# What an account or app has used up on a day, against a cap; `scope` says of what.
budgets = Table(
    "budgets",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("scope", Text, primary_key=True),
    Column("day", Integer, primary_key=True, index=True),
    Column("used", BigInteger, nullable=False),
)

# Segments paid for, or given, and used by the messages of their account.
packages = Table(
    "packages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", Id, nullable=False, index=True),
    Column("sdk_app_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("effective_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
)

# Which packages paid for a message, and with how many segments.
package_uses = Table(
    "package_uses",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("package_id", Id, primary_key=True, autoincrement=False),
    Column("segments", BigInteger, nullable=False),
)

# What a call with a key was answered, so that the same call is answered the same.
answered_calls = Table(
    "answered_calls",
    metadata,
    Column("account_id", Id, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", Float, nullable=False, index=True),
)

# One row a call; what all its messages share.
submissions = Table(
    "submissions",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("account_id", Id, nullable=False),
    Column("sdk_app_id", Text, nullable=False),
    Column("template_id", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("international", Boolean, nullable=False),
    Column("text", Text, nullable=False),
    Column("session_context", Text, nullable=False),
    Column("extension_code", Text, nullable=False),
    Column("sender_id", Text, nullable=False),
    Column("rulebook", Text, nullable=False),
    Column("findings", JSON, nullable=False),
    Column("at", Float, nullable=False),
    # Where the values stand in the text, as [start, end).
    Column("spans", JSON, nullable=False, server_default="[]"),
    # Whether it confirms to somebody that they opted out or in, and so goes to them all the same.
    Column("confirms", Boolean, nullable=False, server_default=false()),
)

# One row a recipient.
messages = Table(
    "messages",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("submission_id", BigInteger, nullable=False),
    Column("account_id", Id, nullable=False),
    Column("sdk_app_id", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("iso", Text, nullable=False),
    Column("segments", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("party", Text, nullable=False),
    Column("accepted_at", Float, nullable=False),
    Column("deadline_at", Float),
    Column("submitted_at", Float),
    Column("ended_at", Float),
    Index(None, "number", "accepted_at"),
    # Only what still waits has a deadline, so the index stays as small as the traffic in flight.
    Index(
        "ix_messages_deadline_at",
        "deadline_at",
        sqlite_where=text("deadline_at IS NOT NULL"),
        postgresql_where=text("deadline_at IS NOT NULL"),
    ),
)

# Which message a carrier means by its id: one row a part.
handovers = Table(
    "handovers",
    metadata,
    Column("carrier", Text, primary_key=True),
    Column("carrier_id", Text, primary_key=True),
    Column("message_id", BigInteger, nullable=False, index=True),
    Column("at", Float, nullable=False),
    # How many parts the message has, each with an id and a row of its own.
    Column("parts", SmallInteger, nullable=False, server_default="1"),
)

# What a carrier would not take just then; most messages have no row here.
attempts = Table(
    "attempts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("message_id", BigInteger, nullable=False, index=True),
    Column("carrier", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("again", Boolean, nullable=False),
    Column("at", Float, nullable=False),
)

# Codes that their recipients are said to have used.
conversions = Table(
    "conversions",
    metadata,
    Column("message_id", Id, primary_key=True, autoincrement=False),
    Column("account_id", Id, nullable=False),
    Column("at", Float, nullable=False),
)

spool = Table(
    "spool",
    metadata,
    Column("message_id", Id, primary_key=True, autoincrement=False),
    Column("account_id", Id, nullable=False, index=True),
    Column("lane", SmallInteger, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("claimed_until", Float, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("at_most_once", Boolean, nullable=False),
    Column("route", Text, nullable=False, server_default=""),
    Index(None, "route", "lane", "message_id"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("carrier", Text, nullable=False),
    Column("carrier_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("message_id", BigInteger),
    # A carrier may say the same thing twice; of another time, it is of another message with the same id.
    UniqueConstraint("carrier", "carrier_id", "code", "at"),
    Index(
        "ix_receipts_parked",
        "carrier",
        "carrier_id",
        sqlite_where=text("message_id IS NULL"),
        postgresql_where=text("message_id IS NULL"),
    ),
)

replies = Table(
    "replies",
    metadata,
    Column("id", Id, primary_key=True),
    Column("carrier", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("extension_code", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("account_id", Id),
    Column("sdk_app_id", Text),
    Column("signature", Text),
    Column("message_id", BigInteger),
    # What the words were taken for: an opt-out, an opt-in, or something that a person should look at.
    Column("wish", Text, nullable=False, server_default=""),
    Column("pulled", Boolean, nullable=False, server_default=false()),
    Index(
        "ix_replies_to_pull",
        "sdk_app_id",
        "id",
        sqlite_where=text("NOT pulled"),
        postgresql_where=text("NOT pulled"),
    ),
    Index(None, "number", "at"),
    Index(None, "message_id"),
)

# Statuses that a customer has not pulled yet.
status_queue = Table(
    "status_queue",
    metadata,
    Column("id", Id, primary_key=True),
    Column("sdk_app_id", Text, nullable=False),
    Column("message_id", BigInteger, nullable=False),
    # The status as it was then: the message may move on before it is pulled.
    Column("state", Text, nullable=False, server_default=""),
    Column("code", Text, nullable=False, server_default=""),
    Column("at", Float),
    Index(None, "sdk_app_id", "id"),
)

# Where a customer's server hears of statuses or replies: one a kind and owner (an SdkAppId, or an account's number).
endpoints = Table(
    "endpoints",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("owner", Text, primary_key=True),
    Column("account_id", Id, nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    # Failures in a row, when to try again, and what the last attempt came to.
    Column("failures", Integer, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("claimed_until", Float, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("last_tried_at", Float),
)

# What a customer's server is to be told, one row a status or reply, and whether it took it.
callbacks = Table(
    "callbacks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("message_id", BigInteger, nullable=False, index=True),
    Column("reply_id", BigInteger),
    # The status as it was then: the message may move on before it is told.
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("at", Float, nullable=False),
    # It is given up so long after this.
    Column("waiting_since", Float, nullable=False),
    Column("standing", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("done_at", Float),
    Column("error", Text, nullable=False),
    Index(
        "ix_callbacks_waiting",
        "kind",
        "owner",
        "id",
        sqlite_where=text("standing = 'waiting'"),
        postgresql_where=text("standing = 'waiting'"),
    ),
    Index(None, "kind", "owner", "id"),
    Index(None, "done_at"),
)

# What happened in each hour, counted as it happened; one row a node, so that nodes do not wait for each other.
statistics = Table(
    "statistics",
    metadata,
    Column("sdk_app_id", Text, primary_key=True),
    Column("hour", Integer, primary_key=True),
    Column("node", Integer, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("segments", BigInteger, nullable=False),
    Column("reported", BigInteger, nullable=False),
    Column("delivered", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("internal", BigInteger, nullable=False),
    Column("invalid_number", BigInteger, nullable=False),
    Column("switched_off", BigInteger, nullable=False),
    Column("blacklisted", BigInteger, nullable=False),
    Column("too_often", BigInteger, nullable=False),
)

# When the links of a template are to be opened, and what they came to when they last were.
link_checks = Table(
    "link_checks",
    metadata,
    Column("template_id", Id, primary_key=True, autoincrement=False),
    Column("due_at", Float, nullable=False, index=True),
    Column("claimed_until", Float, nullable=False),
    Column("tries", SmallInteger, nullable=False),
    Column("trust", SmallInteger, nullable=False),
    Column("seen", JSON, nullable=False),
)

# What was seen behind a link, each time it was opened: the evidence of what was decided on it.
link_visits = Table(
    "link_visits",
    metadata,
    Column("id", Id, primary_key=True),
    Column("template_id", Id, nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("sight", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("chain", JSON, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("error", Text, nullable=False),
)

# Which templates have much of their text in common: two with the same hash in a band are worth comparing.
likenesses = Table(
    "likenesses",
    metadata,
    Column("band", SmallInteger, primary_key=True),
    Column("hash", BigInteger, primary_key=True),
    Column("template_id", Id, primary_key=True, index=True),
)

# Why more or less goes to a carrier than before.
carrier_events = Table(
    "carrier_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Float, nullable=False, index=True),
    Column("route", Text, nullable=False),
    Column("carrier", Text, nullable=False),
    # How much of its share of the route's messages it has since, in parts of a hundred.
    Column("share", SmallInteger, nullable=False),
    Column("because", Text, nullable=False),
)
