"""When links are opened and what was seen behind them, which templates are alike, and statuses as they were."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("status_queue", sa.Column("state", sa.Text(), server_default="", nullable=False))
    op.add_column("status_queue", sa.Column("code", sa.Text(), server_default="", nullable=False))
    op.add_column("status_queue", sa.Column("at", sa.Float(), nullable=True))
    op.create_table(
        "link_checks",
        sa.Column("template_id", Id, autoincrement=False, nullable=False),
        sa.Column("due_at", sa.Float(), nullable=False),
        sa.Column("claimed_until", sa.Float(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("trust", sa.SmallInteger(), nullable=False),
        sa.Column("seen", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("template_id"),
    )
    op.create_index("ix_link_checks_due_at", "link_checks", ["due_at"])
    op.create_table(
        "link_visits",
        sa.Column("id", Id, nullable=False),
        sa.Column("template_id", Id, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("sight", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("chain", sa.JSON(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_link_visits_template_id", "link_visits", ["template_id"])
    op.create_table(
        "likenesses",
        sa.Column("band", sa.SmallInteger(), nullable=False),
        sa.Column("hash", sa.BigInteger(), nullable=False),
        sa.Column("template_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("band", "hash", "template_id"),
    )
    op.create_index("ix_likenesses_template_id", "likenesses", ["template_id"])


def downgrade() -> None:
    for name in ("at", "code", "state"):
        op.drop_column("status_queue", name)
    op.drop_table("likenesses")
    op.drop_table("link_visits")
    op.drop_table("link_checks")
