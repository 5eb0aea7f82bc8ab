# import_url against servers on loopback that behave, and ones that do not: http_server.py has them.
use strict;
use warnings;

use FindBin;
use IPC::Run;
use Mlplat;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'python3 is not there' if system('python3 -c "import ssl" 2>/dev/null') != 0;
plan skip_all => 'openssl is not there' if system('openssl version >/dev/null 2>&1') != 0;

my $dir = PostgreSQL::Test::Utils::tempdir();

# ---- certificates, servers, the database

sub run_quietly
{
	my ($command) = @_;

	system("cd '$dir' && $command >>openssl.log 2>&1") == 0 or die slurp_file("$dir/openssl.log");
}

# make_certificate(NAME, DAYS, WHOM): signed by our own authority.
sub make_certificate
{
	my ($name, $days, $whom) = @_;

	append_to_file("$dir/$name.ext", "subjectAltName=$whom\n");
	run_quietly("openssl req -newkey rsa:2048 -nodes -keyout $name.key -out $name.csr -subj /CN=$name");
	run_quietly("openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days $days -extfile $name.ext -out $name.crt");
}

run_quietly('openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=test-authority');
make_certificate('tls_good', 2, 'DNS:localhost,IP:127.0.0.1');
make_certificate('tls_wrong_host', 2, 'DNS:elsewhere.example');
make_certificate('tls_expired', -1, 'DNS:localhost,IP:127.0.0.1');
run_quietly('openssl req -x509 -newkey rsa:2048 -nodes -keyout tls_self_signed.key -out tls_self_signed.crt -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost');

my ($server_in, $server_out) = ('', '');
my $server = IPC::Run::start([ 'python3', "$FindBin::Bin/http_server.py", $dir ], '<', \$server_in, '>&', \$server_out);
for (1 .. 200)
{
	last if -e "$dir/ports";
	$server->pump_nb;
	sleep 0.1;
}
my %port = slurp_file("$dir/ports") =~ /^(\w+) (\d+)$/mg;
my $main = "http://127.0.0.1:$port{main}";
my $other = "http://127.0.0.1:$port{other}";

# A proxy in the environment of the server must not matter.
$ENV{$_} = $other for qw(http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY);
my $node = new_node('import_url', max_worker_processes => 16, log_statement => 'none');
delete $ENV{$_} for qw(http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY);

my $allowed = "'127.0.0.1:*, localhost:*'";

# import_from(URL, OPTIONS, SETTING => VALUE...): what became of it: "N rows", or message, detail and warning in one line.
sub import_from
{
	my ($url, $options, %settings) = @_;
	my %all = ('mlplat.allowed_hosts' => $allowed, 'mlplat.ca_file' => "'$dir/ca.crt'", client_min_messages => 'warning', %settings);
	my $set = join '', map { "SET $_ = $all{$_};\n" } sort keys %all;
	my ($status, $out, $err) = $node->psql('postgres', "$set DROP TABLE IF EXISTS t; SELECT rows_loaded || ' rows' FROM mlplat.import_url('t', '$url', '" . ($options // '{}') . "');");

	$err = join ' ', map { /(?:ERROR|DETAIL|WARNING):\s+(.*)/ ? $1 : () } split /\n/, $err;
	return join ' ', grep { $_ ne '' } $out, $err;
}

sub rows
{
	return $node->safe_psql('postgres', 'SELECT string_agg(t::text, \' \') FROM t');
}

# The requests that a server got since the last call, one a line.
my $n_seen = 0;
sub new_requests
{
	my ($name) = @_;
	my @lines = split /\n/, slurp_file("$dir/requests");
	my @new = @lines[ $n_seen .. $#lines ];

	$n_seen = @lines;
	return grep { /^$name / } @new;
}

# ---- what works

is(import_from("$main/ok"), '3 rows', 'CSV');
is(rows(), '(1,one) (2,two) (3,three)', 'its rows');
is(import_from("$main/$_"), '3 rows', $_) for qw(chunked body_gzip file_gzip.csv);
is(import_from("$main/as_type.csv.gz?type=application/octet-stream"), '3 rows', 'the format by the ending of the path');
is(import_from("$main/as_type?type=text/csv;charset=utf-8"), '3 rows', 'the format by the type that the server names');
is(import_from("$main/as_type?type=text/plain", '{"format": "csv"}'), '3 rows', 'the format by option');
like(import_from("$main/as_type?type=text/html"), qr/whether "\S+" is CSV or JSON cannot be told The server calls it "text\/html"\./, 'a format that nothing tells');
is(import_from("$main/as_type.json?body=[{%22a%22:1},{%22a%22:2.5}]&type=application/json"), '2 rows', 'JSON');
is(rows(), '(1) (2.5)', 'its rows');
is(import_from("$main/large?rows=200000"), '200000 rows', 'a body that is larger than all buffers');
is($node->safe_psql('postgres', 'SELECT count(DISTINCT id) FROM t'), 200000, 'all of it is there');
is(import_from("$main/as_type?type=text/csv&body=a%0A", '{"types": {"a": "int"}}'), '0 rows', 'a header alone');
is(import_from("$main/echo", '{"headers": {"X-Key": "a b", "X-Empty": "", "Cookie": "c=d"}}'), '5 rows', 'headers are sent');
is(rows(), '(accept-encoding,gzip) (cookie,c=d) (user-agent,mlplat) (x-empty,"") (x-key,"a b")', 'as they were given');
is(import_from("$main/nothing", '{"format": "csv"}') =~ s/.*(is empty|no data|empty).*/nothing/r, 'nothing', 'an answer without content');
is(import_from("$main/no_length"), "3 rows whether the content of \"$main/no_length\" is complete cannot be told The server did not say how long it is, and closed the connection.", 'a body whose end is not known comes with a warning');

# ---- where a request may go

is(import_from("$main/ok", '{}', 'mlplat.allowed_hosts' => "''"), 'import_url is switched off', 'off without a list');
is(import_from("$main/ok", '{}', 'mlplat.allowed_hosts' => "'127.0.0.1'"), "host \"127.0.0.1\", port $port{main}, is not in mlplat.allowed_hosts", 'another port than the one of the scheme needs to be listed');
is(import_from("$main/ok", '{}', 'mlplat.allowed_hosts' => "'example.com, 10.0.0.0/8'"), "host \"127.0.0.1\", port $port{main}, is not in mlplat.allowed_hosts", 'a host that is not listed');
is(import_from("$main/ok", '{}', 'mlplat.allowed_hosts' => "'example.com, 127.0.0.0/8:$port{main}'"), '3 rows', 'a network and a port');
is(import_from("http://localhost:$port{main}/ok"), '3 rows', 'localhost by name');
is(import_from("http://localhost:$port{main}/ok", '{}', 'mlplat.allowed_hosts' => "'*:*'") =~ s/(127\.0\.0\.1|::1)/LOOPBACK/r, 'host "localhost" has the address LOOPBACK, which is not public', 'a name that leads to loopback');
is(import_from("http://localhost:$port{main}/ok", '{}', 'mlplat.allowed_hosts' => "'*:*, 127.0.0.1:*'"), '3 rows', 'is allowed by its address');
for my $host (qw(127.0.0.1 0.0.0.0 10.0.0.1 100.64.0.1 169.254.169.254 172.16.0.1 192.168.0.1 224.0.0.1 255.255.255.255 [::1] [::ffff:127.0.0.1] [fd00::1] [fe80::1] [64:ff9b::7f00:1]))
{
	like(import_from("http://$host:$port{main}/ok", '{"retries": 0}', 'mlplat.allowed_hosts' => "'*:*'"), qr/has the address \S+, which is not public/, "$host is not public");
}
for my $host (qw(0x7f.1 2130706433 0177.0.0.1 127.1))
{
	unlike(import_from("http://$host:$port{main}/ok", '{"retries": 0}', 'mlplat.allowed_hosts' => "'*:*'"), qr/rows/, "$host is no way to loopback");
}
new_requests('');
is(import_from("$main/redirect?to=/ok"), '3 rows', 'a redirect within the server');
like(import_from("$main/redirect?to=$other/ok"), qr/redirects to another server It leads to "$other\/ok"/, 'a redirect to another port');
like(import_from("$main/redirect?to=http://localhost:$port{main}/ok"), qr/redirects to another server/, 'a redirect to another name');
like(import_from("$main/redirect?to=https://127.0.0.1:$port{tls_good}/ok"), qr/redirects to another server/, 'a redirect to another scheme and port');
like(import_from("$main/redirect?to=http://169.254.169.254/latest/meta-data/"), qr/redirects to another server/, 'a redirect to a metadata address');
like(import_from("$main/redirect?to=$_"), qr/only http and https are supported/, "a redirect to $_") for qw(file:///etc/passwd gopher://127.0.0.1/ dict://x/ ftp://127.0.0.1/x);
like(import_from("$main/redirect?to=http://user:secret\@127.0.0.1:$port{main}/ok"), qr/cannot be followed: a user and password/, 'a redirect with a password');
like(import_from("$main/redirect_loop"), qr/redirects more than 5 times/, 'a redirect without end');
is(scalar(new_requests('other')), 0, 'nobody else was asked');
like(import_from($_), qr/the URL cannot be used: only http and https/, $_) for ('file:///etc/passwd', 'ftp://127.0.0.1/x', 'scp://127.0.0.1/x');
like(import_from("http://user:hidden\@127.0.0.1:$port{main}/ok"), qr/^the URL cannot be used: a user and password in it would be logged/, 'a password in the URL');
like(import_from($_), qr/^the URL cannot be used/, 'no URL: ' . ($_ =~ s/[^ -~]/?/gr)) for ('', 'ok', '/etc/passwd', 'http://', "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: y", 'http://127.0.0.1:99999/', 'http://127.0.0.1:x/', 'http://[::1', 'http://caf%C3%A9.example/', "http://caf\xc3\xa9.example/", 'http://a%00b/', 'http://a;b/');

# ---- encryption

is(import_from("https://localhost:$port{tls_good}/ok"), '3 rows', 'https');
is(import_from("https://127.0.0.1:$port{tls_good}/ok"), '3 rows', 'https by address');
like(import_from("https://localhost:$port{tls_good}/ok", '{}', 'mlplat.ca_file' => "''"), qr/SSL certificate problem: unable to get local issuer/, 'an authority that is not trusted');
like(import_from("https://localhost:$port{tls_wrong_host}/ok"), qr/SSL: no alternative certificate subject name matches/, 'the certificate of another host');
like(import_from("https://localhost:$port{tls_expired}/ok"), qr/SSL certificate problem: certificate has expired/, 'a certificate that has expired');
like(import_from("https://localhost:$port{tls_self_signed}/ok"), qr/SSL certificate problem: self-?\s?signed certificate/, 'a certificate that nobody signed');
like(import_from("https://localhost:$port{tls_old}/ok", '{"retries": 0}'), qr/could not read URL/, 'TLS 1.1');
like(import_from("https://localhost:$port{tls_good}/ok", '{}', 'mlplat.ca_file' => "'/no/such/file'"), qr/Error setting certificate file: \/no\/such\/file/, 'a file of authorities that is not there');
is(scalar(grep { !/tls_good/ } new_requests('tls_')), 0, 'nothing was asked of those that are not who they should be');

# ---- servers that do what they should not

my %hostile = (
	'cut' => qr/Transfer closed with 972 bytes remaining to read\. This was try 2, the last\./i,
	'cut_chunk' => qr/Transfer closed with outstanding read data remaining/i,
	'bad_chunk' => qr/could not read URL/,
	'close' => qr/Empty reply from server/,
	'garbage' => qr/HTTP\/0\.9/,
	'binary' => qr/could not read URL/,
	'says_nonsense' => qr/Invalid Content-Length/,
	'says_10_gb' => qr/It has more than the 1073741824 bytes of the option max_bytes/,
	'gzip_cut' => qr/gzip download "\S+" is truncated/,
	'brotli' => qr/Its content has the encoding br, which was not asked for/,
	'many_headers' => qr/could not read URL/,
	'endless_continue' => qr/could not read URL/,
	'partial' => qr/The server answered with status 206/,
	'no_such_page' => qr/The server answered with status 404: there is no such page/,
	'error_page' => qr/The server answered with status 500: <html> long long [long ]+\. This was try 2, the last\./,
	'needs_token' => qr/The server answered with status 401: who are you\? second line \?\?\./,
);
like(import_from("$main/$_", '{"retries": 1, "retry_wait": 0}'), $hostile{$_}, $_) for sort keys %hostile;
like(import_from("$main/endless", '{"max_bytes": 10000000}'), qr/more than the 10000000 bytes/, 'a body without end');
like(import_from("$main/gzip_bomb", '{"max_bytes": 1000000}'), qr/gzip download "\S+" holds more than 1000000 bytes/, 'a small body that becomes a large one');
like(import_from("$main/$_", '{"timeout": 1.5}'), qr/It took longer than the 1\.5 seconds of the option timeout/, "$_ within a time") for qw(hang hang_in_body drip);
like(import_from("$main/hang", '{"idle_timeout": 1, "retries": 0}'), qr/Operation too slow/, 'a server without an answer');
is( $node->safe_psql('postgres', <<"SQL"), 'caught', 'the end of a time can be handled, as a cancel cannot');
SET mlplat.allowed_hosts = $allowed;
CREATE FUNCTION catch() RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
	PERFORM mlplat.import_url('t', '$main/hang', '{"timeout": 0.3}');
	RETURN 'loaded';
EXCEPTION WHEN connection_failure THEN RETURN 'caught';
END \$\$;
SELECT catch();
SQL
like(import_from("http://127.0.0.1:1/", '{"retries": 0}'), qr/Failed to connect|Couldn't connect/, 'a port where nobody is');
like(import_from("$main/large?rows=500000", '{}', temp_file_limit => "'1MB'"), qr/temporary file size exceeds temp_file_limit/, 'the limit of temporary files holds');
ok($node->safe_psql('postgres', "SELECT to_regclass('t') IS NULL") eq 't', 'nothing is left of imports that failed');
is(temporary_files($node), 0, 'nor a temporary file');

# ---- trying again

new_requests('');
is(import_from("$main/flaky?key=1&n=2&status=503", '{"retry_wait": 0.01}'), '3 rows', 'a server that is busy twice');
is(scalar(new_requests('main')), 3, 'is asked three times');
is(import_from("$main/flaky?key=2&n=1", '{"retry_wait": 0.01}'), '3 rows', 'a body that is cut off once');
my $start = time;
is(import_from("$main/flaky?key=3&n=1&status=429&after=1", '{"retry_wait": 0.01}'), '3 rows', 'a server that asks for a second');
cmp_ok(time - $start, '>', 1, 'gets it');
like(import_from("$main/flaky?key=4&n=1&status=429&after=1000", '{"retry_wait": 0.01}'), qr/status 429: busy\. It asks to wait 1000 seconds\./, 'one that asks for too much does not');
new_requests('');
like(import_from("$main/flaky?key=5&n=1&status=404"), qr/status 404/, 'what will not pass');
is(scalar(new_requests('main')), 1, 'is not tried again');

# ---- pages

is(import_from("$main/page_by_number", '{"pages": {"page": "page", "start": 0}}'), '6 rows', 'pages by number, of JSON');
is(import_from("$main/page_by_number?format=csv&step=10", '{"pages": {"page": "page", "start": 0, "step": 10}}'), '6 rows', 'pages by offset, of CSV');
is(rows(), '(0,"row 0") (1,"row 1") (20,"row 20") (21,"row 21") (40,"row 40") (41,"row 41")', 'all rows, and no header among them');
is(import_from("$main/page_by_link", '{"path": "$.items", "pages": {"next_link": "$.meta.next"}}'), '3 rows', 'pages by a link in the body');
is(rows(), '(1,0.5) (2,1) (3,1.5)', 'types are inferred from all pages');
is(import_from("$main/page_by_header", '{"pages": {"next_link": "link_header"}}'), '3 rows', 'pages by a link in the headers');
is(import_from("$main/page_by_cursor", '{"path": "$.rows", "pages": {"cursor": "$.cursor", "param": "after"}}'), '3 rows', 'pages by a cursor');
is(rows(), '(start) ("a b&c") (7)', 'which is escaped');
like(import_from("$main/page_by_header/bad", '{"pages": {"next_link": "link_header"}}'), qr/page 3 of "\S+" has another header than the first/, 'a page with other columns');
like(import_from("$main/page_circle", '{"path": "$.rows", "pages": {"next_link": "$.next"}}'), qr/leads back to page 2/, 'pages in a circle');
like(import_from("$main/page_endless", '{"path": "$.rows", "max_pages": 20, "pages": {"next_link": "$.next"}}'), qr/has more than 20 pages/, 'pages without end');
like(import_from("$main/page_endless", '{"path": "$.rows", "max_bytes": 500, "pages": {"next_link": "$.next"}}'), qr/max_bytes|more than 500 bytes/, 'within a number of bytes');
like(import_from("$main/page_same", '{"pages": {"page": "p"}}'), qr/page 2 of "\S+" is the same as the one before it/, 'a parameter that the server passes over');
new_requests('');
like(import_from("$main/page_away?to=$other/ok", '{"path": "$.rows", "pages": {"next_link": "$.next"}}'), qr/links to another server/, 'a link to another server');
is(scalar(new_requests('other')), 0, 'is not followed');
like(import_from("$main/page_cut", '{"pages": {"page": "page"}}'), qr/page 2 of "\S+" cannot be read: the JSON document ends too early/, 'a page that is cut off');
like(import_from("$main/ok", '{"pages": {"next_link": "$.next"}}'), qr/pages of CSV have no JSON path/, 'CSV has no path');

# ---- secrets

append_to_file("$dir/token", "  sesame\n");
append_to_file("$dir/words", "open sesame\n");
chmod 0644, "$dir/token", "$dir/words";
$node->safe_psql('postgres', <<"SQL");
CREATE FOREIGN DATA WRAPPER web;
CREATE SERVER api FOREIGN DATA WRAPPER web OPTIONS (url '$main');
CREATE SERVER elsewhere FOREIGN DATA WRAPPER web OPTIONS (url '$other');
CREATE SERVER nowhere FOREIGN DATA WRAPPER web;
CREATE USER MAPPING FOR PUBLIC SERVER api OPTIONS (token 'sesame');
CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (token 'sesame');
CREATE USER MAPPING FOR PUBLIC SERVER nowhere OPTIONS (token 'sesame');
CREATE SERVER basic FOREIGN DATA WRAPPER web OPTIONS (url '$main');
CREATE USER MAPPING FOR CURRENT_USER SERVER basic OPTIONS ("user" 'aladdin', password 'open sesame');
CREATE ROLE reader;
GRANT USAGE ON SCHEMA mlplat TO reader;
GRANT CREATE ON SCHEMA public TO reader;
SQL
my $log = -s $node->logfile;
is(import_from("$main/needs_token", "{\"token_file\": \"$dir/token\"}"), '3 rows', 'a token from a file');
is(import_from("$main/needs_token", '{"user_mapping": "api"}'), '3 rows', 'a token from a user mapping');
is(import_from("$main/needs_token", '{"user_mapping": "basic"}'), '3 rows', 'user and password from a user mapping');
like(import_from("$main/ok", '{"user_mapping": "elsewhere"}'), qr/server "elsewhere" is not the one of the URL/, 'a mapping for another server');
like(import_from("$main/ok", '{"user_mapping": "nowhere"}'), qr/server "nowhere" has no option "url"/, 'a mapping for no server');
like(import_from("$main/ok", '{"user_mapping": "missing"}'), qr/server "missing" does not exist/, 'a server that is not there');
is(import_from("$main/ok", "{\"token_file\": \"$dir/words\"}"), "file \"$dir/words\" holds no token A token is one word of printable ASCII characters.", 'a file that holds no token');
is(import_from("$main/ok", "{\"token_file\": \"$dir/token\", \"user_mapping\": \"api\"}"), 'options "token_file" and "user_mapping" exclude each other', 'two sources of secrets');
is(import_from("$main/ok", '{"user_mapping": "api", "headers": {"authorization": "Bearer x"}}'), 'header "authorization" excludes token_file and user_mapping', 'a header and a mapping');
is(import_from("http://example.com/ok", '{"token_file": "' . $dir . '/token"}', 'mlplat.allowed_hosts' => "'example.com'"), 'a secret is not sent to "http://example.com/ok" in the clear', 'a secret needs encryption');
new_requests('');
like(import_from("$main/redirect?to=$other/ok", "{\"token_file\": \"$dir/token\"}"), qr/redirects to another server/, 'a redirect with a token');
is(scalar(new_requests('other')), 0, 'does not carry it away');
is(import_from("$main/ok?api_key=sesame&b=1#part"), '3 rows', 'a secret in the query');
is($node->safe_psql('postgres', "SELECT location || ' ' || bytes FROM mlplat.import_log ORDER BY import_id DESC LIMIT 1"), "$main/ok?api_key=*&b=* 28", 'is not in the log of imports');
is($node->safe_psql('postgres', "SELECT count(*) FROM mlplat.import_log l WHERE l::text LIKE '%sesame%'"), 0, 'nor is any other');
like(import_from("$main/needs_token", '{"headers": {"Authorization": "Bearer wrong"}}'), qr/status 401/, 'a wrong secret');
is(import_from("$main/tells", '{"user_mapping": "api"}'), "could not read URL \"$main/tells\" The server answered with status 403.", 'a server that repeats the secret is not quoted');
my $logged = substr(slurp_file($node->logfile), $log);
unlike($logged =~ s/^.*(STATEMENT|QUERY):.*$//mgr, qr/sesame/, 'the server\'s log has no secret beside statements');

# ---- rights

# As another role.
sub as_reader
{
	my ($sql) = @_;
	my ($status, $out, $err) = $node->psql('postgres', "SET mlplat.allowed_hosts = $allowed; SET client_min_messages = 'warning'; SET ROLE reader; $sql");

	return $status == 0 ? $out : $err =~ /ERROR:\s+(.*)/ ? $1 : $err;
}

sub imports
{
	my ($target, $options) = @_;

	return sprintf(q{SELECT rows_loaded FROM mlplat.import_url('%s', '%s/needs_token', '%s')}, $target, $main, $options // '{}');
}

is(as_reader(imports('r')), 'permission denied for function import_url', 'nobody may call it without a grant');
$node->safe_psql('postgres', 'GRANT EXECUTE ON FUNCTION mlplat.import_url TO reader; CREATE TABLE theirs (id int, name text)');
like(as_reader(imports('r', "{\"token_file\": \"$dir/token\"}")), qr/pg_read_server_files/, 'a token file takes the right to read files');
is(as_reader(imports('r', '{"user_mapping": "api"}')), 'permission denied for foreign server api', 'a user mapping takes the right to use the server');
is(as_reader(imports('r', '{"user_mapping": "basic"}')), 'permission denied for foreign server basic', 'so does one of somebody else');
$node->safe_psql('postgres', 'GRANT USAGE ON FOREIGN SERVER api, basic TO reader');
is(as_reader(imports('r', '{"user_mapping": "api"}')), 3, 'with the rights it works');
like(as_reader(imports('r', '{"user_mapping": "basic"}')), qr/user mapping not found/, 'but not with the mapping of somebody else');
is(as_reader(imports('theirs', '{"user_mapping": "api"}')), 'permission denied for table theirs', 'the target has its own rights');
is(as_reader("SELECT mlplat.fold_of(1, 2); SET mlplat.allowed_hosts = '*'"), 'permission denied to set parameter "mlplat.allowed_hosts"', 'only an administrator allows hosts');
is(as_reader("SELECT mlplat.fold_of(1, 2); SET mlplat.ca_file = ''"), 'permission denied to set parameter "mlplat.ca_file"', 'and says whom to trust');
is(($node->psql('postgres', "SET ROLE reader; SET mlplat.allowed_hosts = '127.0.0.1:*'; SELECT 1 FROM mlplat.import_url('s', '$main/ok')"))[2] =~ /import_url is switched off/, 1, 'also before the library is loaded');
like(($node->psql('postgres', "LOAD 'mlplat'; SET mlplat.allowed_hosts = 'a, b:x'"))[2], qr/invalid value for parameter "mlplat.allowed_hosts": "a, b:x".*"b:x" has no valid port/s, 'a list that is wrong is refused');
$node->command_ok([ 'pg_dump', '-f', "$dir/dump.sql", '-d', $node->connstr('postgres') ], 'a dump');
like(slurp_file("$dir/dump.sql"), qr/GRANT ALL ON FUNCTION mlplat\.import_url\(.*TO reader/, 'keeps the grant');

# ---- cancel

# Run an import in the background until the server has its request; then the SQL about its process id.
sub interrupt
{
	my ($path, $sql, $options) = @_;
	my ($job, $began);

	new_requests('');
	$job = start_background($node, "SET mlplat.allowed_hosts = $allowed; SELECT rows_loaded FROM mlplat.import_url('t', '$main/$path', '" . ($options // '{}') . "')");
	for (1 .. 300)
	{
		last if new_requests('main');
		sleep 0.05;
	}
	sleep 0.2;
	$began = time;
	$node->safe_psql('postgres', "SELECT $sql(pid) FROM pg_stat_activity WHERE query LIKE '%import_url%' AND pid <> pg_backend_pid()");
	return (finish_background($job), time - $began);
}

for my $path (qw(hang hang_in_body drip endless))
{
	my ($out, $seconds) = interrupt($path, 'pg_cancel_backend', '{"max_bytes": 1e12}');

	like($out, qr/canceling statement due to user request/, "$path: a cancel ends it");
	cmp_ok($seconds, '<', 5, "$path: at once");
}
my ($out, $seconds) = interrupt('flaky?key=6&n=9&status=503', 'pg_cancel_backend', '{"retry_wait": 100}');
like($out, qr/canceling statement due to user request/, 'a cancel ends the wait before a retry');
($out, $seconds) = interrupt('hang', 'pg_terminate_backend');
like($out, qr/terminating connection due to administrator command/, 'so does a termination');
like(import_from("$main/hang", '{}', statement_timeout => 500), qr/canceling statement due to statement timeout/, 'and statement_timeout');
is(temporary_files($node), 0, 'no temporary file is left');

# ---- nothing stays open

SKIP:
{
	skip 'no /proc here', 2 unless -d '/proc/self/fd';
	my ($first, $again) = split /\n/, $node->safe_psql('postgres', <<"SQL");
SET client_min_messages = error;
SET mlplat.allowed_hosts = $allowed;
CREATE FUNCTION held() RETURNS text LANGUAGE sql AS
\$\$SELECT count(*) || ' files, ' || substring(pg_read_file('/proc/self/status') FROM 'Threads:\\s+(\\d+)') || ' threads' FROM pg_ls_dir('/proc/self/fd')\$\$;
CREATE FUNCTION fail(n int) RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
	FOR i IN 1 .. n LOOP
		BEGIN
			PERFORM mlplat.import_url('u', 'http://localhost:$port{main}/cut', '{"retries": 0}');
		EXCEPTION WHEN connection_exception OR connection_failure THEN NULL;
		END;
		BEGIN
			PERFORM mlplat.import_url('u', 'http://localhost:$port{main}/ok', '{"types": {"name": "int"}}');
		EXCEPTION WHEN invalid_text_representation THEN NULL;
		END;
	END LOOP;
	RETURN held();
END \$\$;
SELECT fail(2);
SELECT fail(20);
SQL
	is($again, $first, 'no file and no thread is left after errors');
	like($first, qr/ 1 threads/, 'there is one thread');
}
is(import_from("$main/ok"), '3 rows', 'and the server goes on');

$node->stop;
$server->kill_kill;
done_testing();
