# frozen_string_literal: true

require 'sinatra/base'

# Pages and answers. What only some of them need is required, or loaded, where they need it.
class Room < Sinatra::Base
  autoload :Shelf, File.expand_path('shelf', __dir__)
  autoload :World, File.expand_path('world', __dir__)

  set :root, File.expand_path('..', __dir__)
  set :show_exceptions, false
  set :raise_errors, false

  get('/') { 'the room is open' }

  get('/shelf') { erb :shelf, locals: { books: Shelf.books } }

  get '/reports/:kind' do
    pass unless %w[sheet store tree].include?(params[:kind])
    content_type 'text/plain'
    require_relative "reports/#{params[:kind]}"
    Reports.const_get(params[:kind].capitalize).call(Shelf.books)
  end

  get('/time/*') { World.time(params[:splat].first) }
  get('/bytes/:codec') { World.bytes(params[:codec]) }
  get('/plain/:text') { World.plain(params[:text]) }
  get('/names') { World.names }
  get('/trust') { World.trust }
  get('/stamp') { World.stamp }

  post '/upload' do
    require 'tempfile'
    Tempfile.create('page-') do |kept|
      kept.write(request.body.read)
      "#{kept.path} #{kept.pos}"
    end
  end

  post '/books' do
    require 'json'
    status 201
    JSON.generate(Shelf.check(JSON.parse(request.body.read)))
  end

  get('/broken') { raise 'the lamp' }

  not_found { erb :error, locals: { message: 'No such page in the room' } }
  error { erb :error, locals: { message: 'The lamp went out' } }
end
