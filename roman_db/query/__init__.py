"""What people ask the database: queries in any format, light curves with their plots, status and audits."""
