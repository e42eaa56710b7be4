<resource schema="roman" resdir="roman">
  <meta name="title">Light curves of a benchmark</meta>
  <meta name="description">Objects, and points of their light curves.</meta>
  <meta name="creationDate">2026-01-01T00:00:00Z</meta>
  <meta name="subject">light-curves</meta>
  <table id="object" onDisk="True" adql="True" mixin="//scs#q3cindex" primary="object_id">
    <column name="object_id" type="bigint" ucd="meta.id;meta.main" required="True"/>
    <column name="ra" type="double precision" unit="deg" ucd="pos.eq.ra;meta.main"/>
    <column name="dec" type="double precision" unit="deg" ucd="pos.eq.dec;meta.main"/>
  </table>
  <table id="light_curve" onDisk="True" adql="True">
    <index columns="object_id"/>
    <column name="object_id" type="bigint" ucd="meta.id" required="True"/>
    <column name="midpoint_mjd_tdb" type="double precision" unit="d" ucd="time.epoch"/>
    <column name="flux" type="real" unit="nJy" ucd="phot.flux.density"/>
    <column name="flux_err" type="real" unit="nJy" ucd="stat.error;phot.flux.density"/>
  </table>
  <!-- Empty tables with their indexes; rows are copied into them. -->
  <data id="tables">
    <sources pattern="empty.csv"/>
    <csvGrammar/>
    <make table="object"/>
    <make table="light_curve"/>
  </data>
</resource>
