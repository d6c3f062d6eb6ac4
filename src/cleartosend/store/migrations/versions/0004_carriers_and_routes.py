"""Routes in the spool, parts of messages, receipts of ids that are used again, and what changed of carriers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CONVENTION = {"uq": "uq_%(table_name)s_%(column_0_N_name)s"}


def upgrade() -> None:
    op.add_column("spool", sa.Column("route", sa.Text(), server_default="", nullable=False))
    op.drop_index("ix_spool_lane_message_id", "spool")
    op.create_index("ix_spool_route_lane_message_id", "spool", ["route", "lane", "message_id"])
    op.add_column("handovers", sa.Column("parts", sa.SmallInteger(), server_default="1", nullable=False))
    with op.batch_alter_table("receipts", naming_convention=CONVENTION) as receipts:
        receipts.drop_constraint("uq_receipts_carrier_carrier_id_code", type_="unique")
        receipts.create_unique_constraint(
            "uq_receipts_carrier_carrier_id_code_at", ["carrier", "carrier_id", "code", "at"]
        )
    op.create_table(
        "carrier_events",
        sa.Column("id", Id, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("share", sa.SmallInteger(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_carrier_events_at", "carrier_events", ["at"])


def downgrade() -> None:
    op.drop_table("carrier_events")
    with op.batch_alter_table("receipts", naming_convention=CONVENTION) as receipts:
        receipts.drop_constraint("uq_receipts_carrier_carrier_id_code_at", type_="unique")
        receipts.create_unique_constraint("uq_receipts_carrier_carrier_id_code", ["carrier", "carrier_id", "code"])
    op.drop_column("handovers", "parts")
    op.drop_index("ix_spool_route_lane_message_id", "spool")
    op.create_index("ix_spool_lane_message_id", "spool", ["lane", "message_id"])
    op.drop_column("spool", "route")
